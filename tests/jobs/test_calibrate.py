"""`nightmill calibrate` over nights of a device with known errors, and the reprocessing that uses what it found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

from engine.errors import UserError
from engine.night.formats.nrf_write import export_nrf
from jobs.cli import cli
from tests.engine.night.hand import EVENING_US
from tests.engine.night.signals.test_calibration import turned

NIGHTS = 9
DAY_US = 86_400_000_000


def mill(*arguments: str) -> str:
    done = CliRunner().invoke(cli, list(arguments), standalone_mode=False)
    if done.exception is not None:
        raise done.exception
    return done.stdout


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("calibrate") / "raw"
    folder.mkdir()
    for night in range(NIGHTS):
        start_us = EVENING_US + night * DAY_US
        name = f"S1_{start_us // 1_000_000}.parquet"
        (folder / name).write_bytes(export_nrf(turned(1.25, start_us, seed=night)))
    return folder


def reprocess(raw: Path, *flags: str) -> dict[str, Any]:
    output = str(raw.parent / "out")
    told: dict[str, Any] = json.loads(
        mill("reprocess", str(raw), "-o", output, "--zone", "UTC", "--in-process", "--json", *flags)
    )
    return told


def test_only_nights_after_the_first_seven_run_again_and_are_better(raw: Path) -> None:
    output, table = raw.parent / "out", raw.parent / "calibrations.csv"
    assert reprocess(raw)["statuses"] == {"partial": NIGHTS}
    told = json.loads(mill("calibrate", str(output), str(table), "--json"))
    assert (told["versions"], told["devices"][0]["device"]) == (1, "Maker M 7")
    assert told["devices"][0]["end_error_mg"] < 0.5 < 15 < told["devices"][0]["start_error_mg"]

    again = reprocess(raw, "--calibrations", str(table))
    assert again["statuses"] == {"partial": NIGHTS - 7}
    nights = pl.scan_delta(str(output / "nights")).sort("night_date").collect()
    cal_id = pl.read_csv(table)["cal_id"][0]
    assert nights["cal_id"].to_list() == ["identity"] * 7 + [cal_id] * (NIGHTS - 7)
    assert (nights["cal_error_mg"][:7] > 10).all() and (nights["cal_error_mg"][7:] < 0.5).all()

    before = table.read_bytes()
    mill("calibrate", str(output), str(table))
    assert table.read_bytes() == before
    assert reprocess(raw, "--calibrations", str(table))["state"] == "nothing to do"
    mill("verify", str(output), "--sample", "1", "--in-process")


def test_process_takes_the_same_table(raw: Path, tmp_path: Path) -> None:
    last = str(sorted(raw.glob("*.parquet"))[-1])
    table = tmp_path / "cal.csv"
    coefficients = '{""offset_g"":[0,0,0],""scale"":[1.0,1.0,1.01]}'
    head = "subject_id,device,valid_from,cal_id,coefficients\n"
    table.write_text(f'{head}S1,Maker M 7,,mine,"{coefficients}"\n')
    folder = tmp_path / "one"
    mill("process", last, "--zone", "UTC", "--calibrations", str(table), "-o", str(folder))
    assert pl.read_parquet(folder / "nights.parquet")["cal_id"].to_list() == ["mine"]
    table.write_text(f"{head}S1,Maker M 7,,mine,nonsense\n")
    done = json.loads(mill("process", last, "--zone", "UTC", "--calibrations", str(table), "--json"))
    assert (done["files"][0]["status"], done["files"][0]["cause"]) == ("failed", "module")
    assert "calibration mine of Maker M 7" in done["files"][0]["message"]


def test_few_nights_are_said(raw: Path, tmp_path: Path) -> None:
    few = tmp_path / "few"
    few.mkdir()
    for path in sorted(raw.glob("*.parquet"))[:2]:
        (few / path.name).write_bytes(path.read_bytes())
    reprocess(few)
    said = mill("calibrate", str(tmp_path / "out"), str(tmp_path / "cal.parquet"))
    assert "fewer" in said
    assert pl.read_parquet(tmp_path / "cal.parquet").height == 0
    with pytest.raises(UserError, match=r"ends with \.parquet or \.csv"):
        mill("calibrate", str(tmp_path / "out"), str(tmp_path / "cal.txt"))


def test_a_failure_is_reproduced_with_the_table(raw: Path, tmp_path: Path) -> None:
    table = tmp_path / "cal.csv"
    table.write_text("subject_id,device,valid_from,cal_id,coefficients\nS1,Maker M 7,,mine,nonsense\n")
    some = tmp_path / "raw"
    some.mkdir()
    for path in sorted(raw.glob("*.parquet"))[:2]:
        (some / path.name).write_bytes(path.read_bytes())
    flags = ["--zone", "UTC", "--in-process", "--max-failures", "100%", "--calibrations", str(table)]
    CliRunner().invoke(cli, ["reprocess", str(some), "-o", str(tmp_path / "out"), *flags], standalone_mode=False)
    (group,) = json.loads(mill("errors", str(tmp_path / "out"), "--json"))
    assert f"--calibrations {table}" in group["reproduce"]
