"""Recordings of several days: cut at local noon, each night by itself, also where the clock changes."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from engine.module import Outcome, RawFile, Source, Status
from engine.night.formats.nrf_write import export_nrf
from engine.night.night import Night
from engine.night.recording import Device
from tests.engine.night.hand import channel, recording, us

ZONE = "Europe/Zurich"
AXES = ("acc_x", "acc_y", "acc_z")
DAY_S = 86_400
START_US = us("2026-10-23T14:00")
"""16:00 local on a Friday; summer time ends in the night to Sunday."""


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    """Three days of acceleration and temperature at 1 Hz, asleep from 21 to 5 UTC."""
    rng = np.random.default_rng(0)
    seconds = np.arange(3 * DAY_S)
    hour = (START_US // 10**6 + seconds) // 3600 % 24
    asleep = (hour >= 21) | (hour < 5)
    poses = rng.integers(-600, 600, (3, len(seconds)))
    held = np.array([[600], [300], [700]]) + 100 * (seconds // 1200 % 2)
    raw = np.where(asleep, held + rng.integers(-1, 2, (3, len(seconds))), poses)
    temp = 3400 + rng.integers(-2, 3, len(seconds))
    axes = [channel(name, (START_US, 1.0, raw[i]), scale=1e-3) for i, name in enumerate(AXES)]
    names = (*AXES, "skin_temp")
    made = recording(
        [*axes, channel("skin_temp", (START_US, 1.0, temp), scale=0.01)], expected=names, device=Device("Acme", "Band")
    )
    data = export_nrf(made)
    return Night()([RawFile("days.parquet", data)], Source("s", ("days.parquet",), "p", zone=ZONE))


def test_each_night_has_a_row_and_every_epoch_one_night(outcome: Outcome) -> None:
    assert [v.status for v in outcome.verdicts] == [Status.OK]
    epochs = pl.from_arrow(outcome.tables["epochs"])
    assert isinstance(epochs, pl.DataFrame)
    counts = dict(epochs.group_by("night_date").len().sort("night_date").iter_rows())
    assert counts == {
        date(2026, 10, 23): 20 * 360,
        date(2026, 10, 24): 25 * 360,
        date(2026, 10, 25): 24 * 360,
        date(2026, 10, 26): 3 * 360,
    }
    assert epochs["ts"].is_unique().all()


def test_sleep_is_found_in_each_and_the_change_of_the_clock_is_said(outcome: Outcome) -> None:
    rows = outcome.tables["nights"].to_pylist()
    assert [row["night_date"].day for row in rows] == [23, 24, 25, 26]
    assert [row["spt_method"] for row in rows] == ["hdcza", "hdcza", "hdcza", "none"]
    assert [round(row["spt_h"], 1) for row in rows[:3]] == [8.0, 8.0, 8.0]
    assert [row["spt_onset"].hour for row in rows[:3]] == [21, 21, 21]
    assert ["DST" in row["reasons"] for row in rows] == [False, True, False, False]
    assert "ppg_good_frac" not in rows[0]["score_basis"]
