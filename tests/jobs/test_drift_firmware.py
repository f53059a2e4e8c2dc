"""From raw files to an alarm: the temperature of one firmware drifts, and `drift --by firmware` says which."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from numpy.typing import NDArray

from engine.module import RawFile
from engine.night.formats.nrf_write import export_nrf
from engine.night.formats.parse import read
from engine.night.recording import Channel, Device, Segment
from engine.simulate import nights
from jobs import exits
from jobs.cli import cli

PERSONS, DAYS, WINDOW = 10, 21, 7
"""Half of the persons have firmware 2.0; a week to compare with, and two windows that are tested."""
FIRST = date(2026, 4, 5)
THINNED = 16
DAY_US = 86_400_000_000
KEPT = ("acc_x", "acc_y", "acc_z", "skin_temp")
DRIFT_C = 0.8


def recordings() -> Iterator[tuple[str, bytes]]:
    """Name and NRF of each person: one night that was generated, on all days, each a little warmer or colder."""
    rng, one = np.random.default_rng(0), nights.draw(night_date=FIRST, hours=6.5)
    (recording,), _ = read([RawFile("n.zip", one.zip())], 512)
    for person in range(PERSONS):
        firmware = "2.0" if person % 2 else "1.9"
        drift_c = np.where(np.arange(DAYS) >= DAYS - 2 * WINDOW, DRIFT_C, 0.0) * (person % 2)
        warmer = {"skin_temp": np.rint(100 * (drift_c + rng.normal(0.0, 0.15, DAYS))).astype(np.int32)}
        channels = {name: every_day(recording.channels[name], warmer.get(name)) for name in KEPT}
        device = Device("Acme", "Band", f"SN{person:02}", firmware)
        made = replace(recording, channels=channels, events={}, expected=KEPT, device=device)
        yield f"P{person:02}/{one.session.start_s}.nrf.parquet", export_nrf(made)


def every_day(channel: Channel, added: NDArray[np.int32] | None) -> Channel:
    """One sample in sixteen of the night, to be quick, on every day. added: to the raw values of each day."""
    (one,) = channel.segments
    values, fs_hz = one.values[::THINNED], one.fs_hz / THINNED
    more = np.zeros(DAYS, np.int32) if added is None else added
    days = tuple(Segment(one.t0_us + day * DAY_US, fs_hz, values + more[day]) for day in range(DAYS))
    return replace(channel, segments=days, info={})


def run(*arguments: str) -> Result:
    done = CliRunner().invoke(cli, arguments, standalone_mode=False)
    assert done.exception is None, done.output
    return done


@pytest.mark.slow
def test_one_firmwares_drift_is_told_as_its_own(tmp_path: Path) -> None:
    for name, data in recordings():
        (tmp_path / "raw" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "raw" / name).write_bytes(data)
    out, page = str(tmp_path / "out"), tmp_path / "drift.html"
    run("reprocess", str(tmp_path / "raw"), "-o", out, "--zone", "Europe/Zurich", "--in-process")
    told = run("query", out, "select device, firmware, count(*) as n from nights group by all order by all", "--json")
    half = PERSONS * DAYS // 2
    assert [tuple(row.values()) for row in json.loads(told.output)] == [
        ("Acme Band", "1.9", half),
        ("Acme Band", "2.0", half),
    ]
    days = ("--window", str(WINDOW), "--reference", "2026-04-05", "2026-04-11")
    done = run("drift", out, *days, "--by", "firmware", "--report", str(page), "--json")
    assert done.return_value == exits.BAD_FILES
    found = json.loads(done.output)
    assert {row["group"] for row in found["findings"] if row["alarm"]} == {None, "2.0"}
    assert all(row["is_enough"] for row in found["compared"])
    moved = {row["what"] for row in found["findings"] if row["alarm"] and row["kind"] == "value"}
    assert moved and all(what.startswith("wst_") for what in moved)
    (row,) = (r for r in found["findings"] if r["group"] == "2.0" and r["what"] == "wst_median" and r["test"] == "ks")
    assert row["now"] - row["reference"] == pytest.approx(DRIFT_C, abs=0.1)
    assert "Of firmware, 2.0 moved and 1.9 did not." in page.read_text()
    assert "SN0" not in run("query", out, "select * from nights", "--json").output, "a serial number tells whose it is"
