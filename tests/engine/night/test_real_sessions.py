"""The module on the 71 real E4 sessions: what it says of each is what a person who opens the file would say."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from engine.module import Outcome, RawFile, Source, Status
from engine.night.night import Night

pytestmark = pytest.mark.real


def _call(name: str, files: list[RawFile], zone: str) -> Outcome:
    return Night()(files, Source(name, tuple(f.name for f in files), "p", zone=zone))


@pytest.fixture(scope="module")
def nurses(shared_data: Path) -> dict[str, Outcome]:
    paths = sorted((shared_data / "nurse_e4").glob("*/*.zip"))
    return {p.stem: _call(p.name, [RawFile(p.name, p.read_bytes())], "America/Chicago") for p in paths}


@pytest.fixture(scope="module")
def manifest(shared_data: Path) -> pl.DataFrame:
    return pl.read_parquet(shared_data / "nurse_e4" / "manifest.parquet")


def _sessions(manifest: pl.DataFrame, condition: pl.Expr) -> list[str]:
    return manifest.filter(condition)["sess"].to_list()


def test_each_has_one_verdict_and_epochs(nurses: dict[str, Outcome], manifest: pl.DataFrame) -> None:
    assert set(nurses) == set(manifest["sess"])
    for outcome in nurses.values():
        (verdict,) = outcome.verdicts
        assert verdict.status in (Status.OK, Status.PARTIAL)
        assert verdict.message
        assert outcome.tables["epochs"].num_rows > 0


def test_sessions_without_bvp_are_partial(nurses: dict[str, Outcome], manifest: pl.DataFrame) -> None:
    lost = _sessions(manifest, pl.col("BVP") == "absent")
    assert len(lost) == 25
    for name in lost:
        (verdict,) = nurses[name].verdicts
        assert verdict.status is Status.PARTIAL
        assert "SIG_MISSING" in verdict.reasons
        assert "no pulse" in verdict.message or "no acceleration and no pulse" in verdict.message


def test_status_follows_an_hour_of_every_channel(nurses: dict[str, Outcome], manifest: pl.DataFrame) -> None:
    durations = [pl.col(f"{part}_dur").fill_null(0.0) for part in ("ACC", "BVP", "TEMP")]
    long = _sessions(manifest, pl.min_horizontal(durations) >= 3660)
    assert {name for name, o in nurses.items() if o.verdicts[0].status is Status.OK} == set(long)
    short = _sessions(manifest, pl.max_horizontal(durations) < 3590)
    assert all("SHORT" in nurses[name].verdicts[0].reasons for name in short)
    assert all(nurses[name].tables["nights"].num_rows == 0 for name in short)


def test_cold_sessions_are_not_worn_or_called_cold(nurses: dict[str, Outcome], manifest: pl.DataFrame) -> None:
    cold = _sessions(manifest, pl.col("TEMP_lt28") > 0.5)
    assert len(cold) == 13
    for name in cold:
        (verdict,) = nurses[name].verdicts
        assert "cold" in verdict.message
        assert "NONWEAR" in verdict.reasons or "PPG_LOW" in verdict.reasons or "SIG_MISSING" in verdict.reasons


def test_no_day_shift_is_a_night_of_sleep(nurses: dict[str, Outcome]) -> None:
    rows = [row for o in nurses.values() for row in o.tables["nights"].to_pylist()]
    assert rows
    for row in rows:
        assert (row["spt_method"], row["band"], row["night_score"]) == ("none", "D", None)
        assert "NO_SPT" in row["reasons"]
        assert row["rhr_p10"] is row["wst_mean"] is row["tst_h"] is None


def test_laboratory_sessions_of_just_under_an_hour(shared_data: Path) -> None:
    for path in sorted((shared_data / "stress_predict" / "raw").glob("S0*.zip")):
        outcome = _call(path.name, [RawFile(path.name, path.read_bytes())], "Europe/Dublin")
        (verdict,) = outcome.verdicts
        assert verdict.status is Status.PARTIAL
        assert "SHORT" in verdict.reasons
        assert set(outcome.tables["vitals"]["vital"].to_pylist()) >= {"hr_bpm", "skin_temp_c"}


@pytest.mark.parametrize(("folder", "status"), [("uniba_e4_mit", Status.OK), ("flirt_mit/empatica", Status.PARTIAL)])
def test_folders_of_csv_files_are_one_input(shared_data: Path, folder: str, status: Status) -> None:
    paths = sorted((shared_data / "formats_zoo" / folder).glob("*.csv"))
    files = [RawFile(f"{folder}/{p.name}", p.read_bytes()) for p in paths]
    (verdict,) = _call(folder, files, "Europe/Rome").verdicts
    assert verdict.file == folder
    assert verdict.status is status
