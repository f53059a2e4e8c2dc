"""The built-in module over generated nights: every way to run it gives equal tables, and so does `process`."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from engine.schemas import RUN_TIME_COLUMNS
from engine.simulate.nights import write
from jobs.cli import cli
from jobs.exits import ending

TABLES = ("epochs", "nights", "vitals", "files", "dictionary")
ZONE = "Europe/Zurich"
DIRT = ("truncated", "restart", "duplicate", "garbage")

pytestmark = pytest.mark.slow


def mill(*arguments: str) -> str:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = ending(lambda: cli.main(list(arguments), standalone_mode=False))
    assert code == 0, err.getvalue()
    return out.getvalue()


def table(output: Path, name: str) -> pl.DataFrame:
    """A table's rows in one order, without what two equal runs may differ in."""
    frame = pl.scan_delta(str(output / name)).collect()
    return frame.select(sorted(set(frame.columns).difference(RUN_TIME_COLUMNS))).sort(pl.all())


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("nights") / "raw"
    write(folder, users=2, nights=2, hours=2.5, seed=7, dirt=DIRT, zone=ZONE)
    return folder


@pytest.fixture(scope="module")
def reference(raw: Path) -> Path:
    """The specification: in this process, one batch after the other."""
    output = raw.parent / "reference"
    mill("reprocess", str(raw), "-o", str(output), "--zone", ZONE, "--in-process")
    return output


@pytest.mark.parametrize(
    "flags", [["--workers", "1"], ["--workers", "2", "--batch", "1"], ["--in-process", "--batch", "3"]]
)
def test_workers_and_batches_change_no_value(raw: Path, reference: Path, flags: list[str]) -> None:
    output = raw.parent / "-".join(["out", *flags])
    mill("reprocess", str(raw), "-o", str(output), "--zone", ZONE, *flags)
    for name in TABLES:
        assert table(reference, name).height > 0
        assert_frame_equal(table(output, name), table(reference, name), check_exact=True)


def test_process_gives_the_rows_of_the_batch(raw: Path, reference: Path) -> None:
    few = raw.parent / "few"
    files = sorted(str(path) for path in raw.rglob("*.zip"))
    mill("process", *files, "--root", str(raw), "--zone", ZONE, "-o", str(few))
    for name in ("epochs", "nights", "vitals"):
        batch = table(reference, name).drop("module_id", "month", strict=False)
        one_by_one = pl.read_parquet(few / f"{name}.parquet")
        assert_frame_equal(one_by_one.select(batch.columns).sort(pl.all()), batch, check_exact=True)


def test_process_of_one_night_gives_its_rows(raw: Path, reference: Path) -> None:
    alone = raw.parent / "alone"
    file = min(path for path in (raw / "P01").glob("*.zip") if path.stat().st_size > 100_000)
    mill("process", str(file), "--root", str(raw), "--zone", ZONE, "-o", str(alone))
    rows = pl.read_parquet(alone / "epochs.parquet")
    batch = table(reference, "epochs").filter(pl.col("source_id") == rows["source_id"][0])
    assert rows.height > 0
    assert_frame_equal(
        rows.select(sorted(rows.columns)), batch.sort("ts").select(sorted(rows.columns)), check_exact=True
    )


def test_process_shows_diagnostics(raw: Path) -> None:
    folder = raw.parent / "diagnosed"
    file = min(path for path in (raw / "P01").glob("*.zip") if path.stat().st_size > 100_000)
    said = mill("process", str(file), "--root", str(raw), "--zone", ZONE, "--diagnostics", "-o", str(folder))
    assert "diagnostics: " in said and "kurtosis" in said and "pnn50" in said
    rows = pl.read_parquet(folder / "diagnostics.parquet")
    assert rows.height > 800 and rows["kurtosis"].is_not_null().all()
    assert pl.read_parquet(folder / "diagnostics_nights.parquet").height == 1
    with pytest.raises(AssertionError, match="--diagnostics are those of the night module"):
        mill("process", str(file), "--diagnostics", "--module", "night")


def test_every_file_is_in_the_ledger_exactly_once(raw: Path, reference: Path) -> None:
    listed = sorted(str(path.relative_to(raw)) for path in raw.rglob("*.zip"))
    entries = table(reference, "files")
    assert sorted(entries["file"]) == listed
    assert entries.filter(pl.col("status") == "rejected")["reasons"].to_list() == [["FORMAT_UNKNOWN"]]
    assert entries.filter(pl.col("status") != "ok")["message"].null_count() == 0


def test_a_corrected_zone_makes_its_files_stale_and_replaces_their_rows(raw: Path) -> None:
    output = raw.parent / "zones"
    subjects = raw.parent / "subjects.csv"
    told = ["reprocess", str(raw), "-o", str(output), "--subjects", str(subjects), "--in-process"]
    subjects.write_text(f"subject_id,zone\nP01,{ZONE}\nP02,{ZONE}\n")
    mill(*told)
    before = table(output, "epochs")
    subjects.write_text(f"subject_id,zone\nP01,{ZONE}\nP02,Europe/Dublin\n")
    planned = mill("plan", *told[1:])
    assert "zone" in planned and "P01" not in planned
    mill(*told)
    after = table(output, "epochs")
    assert after.height == before.height
    moved = (
        after.group_by("subject_id").agg(pl.col("utc_offset_min").min()).sort("subject_id")["utc_offset_min"].to_list()
    )
    assert moved == [60, 0]


def test_the_demo_tells_the_error_and_keeps_what_it_is_asked_to(tmp_path: Path) -> None:
    said = mill(
        "demo", "--users", "1", "--nights", "2", "--hours", "4", "--keep", str(tmp_path / "kept"), "--workers", "1"
    )
    assert "against the truth" in said and "kept_pct" in said and "nightmill query" in said
    assert (tmp_path / "kept" / "out" / "nights").is_dir()
    assert pl.read_parquet(tmp_path / "kept" / "truth" / "nights.parquet").height == 2
