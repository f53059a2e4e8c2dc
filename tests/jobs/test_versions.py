from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from engine.module import Calibration
from engine.night.signals.calibration import read
from jobs.calibrate import VERSIONS, versions
from tests.kernels.test_sphere import GAIN, OFFSET, directions

START = datetime(2026, 1, 1, 22, tzinfo=UTC)


def windows(nights: int, device: str = "M 7", subject: str = "S1", first: int = 0, a_night: int = 20) -> pl.DataFrame:
    points = directions(nights * a_night, first + 1) * GAIN + OFFSET
    day = np.repeat(np.arange(first, first + nights), a_night)
    when = [START + timedelta(days=int(d), seconds=10 * (i % a_night)) for i, d in enumerate(day)]
    return pl.DataFrame(
        {
            "subject_id": subject,
            "source_id": [f"{subject}/{d}" for d in day],
            "night_date": [date(2026, 1, 1) + timedelta(days=int(d)) for d in day],
            "ts": pl.Series(when, dtype=pl.Datetime("us", "UTC")),
            "device": device,
            **{f"{axis}_g": points[:, k] for k, axis in enumerate("xyz")},
        }
    )


def test_a_version_after_seven_nights_and_every_seven_more() -> None:
    assert versions(windows(6)).height == 0
    made = versions(windows(40))
    assert made.schema == VERSIONS
    assert made["nights"].to_list() == [7, 14, 21, 28, 30]
    assert made["windows"].to_list() == [140, 280, 420, 560, 600]
    last = [START + timedelta(days=d - 1, seconds=200) for d in (7, 14, 21, 28, 35)]
    assert made["valid_from"].to_list() == last
    assert (made["end_error_mg"] < 0.5).all() and (made["start_error_mg"] > 15).all()
    for device, cal_id, text in made.select("device", "cal_id", "coefficients").iter_rows():
        assert read(Calibration(device, cal_id, text)).scale == pytest.approx(1 / GAIN, abs=2e-3)


def test_no_version_depends_on_what_comes_later() -> None:
    every = windows(40)
    whole = versions(every)
    for stop in (7, 13, 20, 39):
        told = versions(every.filter(pl.col("night_date") < date(2026, 1, 1) + timedelta(days=stop)))
        assert told.equals(whole.head(told.height))


def test_the_order_of_rows_changes_nothing() -> None:
    every = windows(15)
    assert versions(every.sample(fraction=1.0, shuffle=True, seed=1)).equals(versions(every))


def test_a_bad_week_delays_the_next_version() -> None:
    flat = windows(7).with_columns(x_g=pl.lit(0.0), y_g=pl.lit(0.0), z_g=pl.lit(1.02))
    made = versions(pl.concat([flat, windows(5, first=7)]))
    assert made["nights"].to_list() == [8]


def test_devices_apart_and_persons_together() -> None:
    shared = pl.concat([windows(4, subject="S1"), windows(4, subject="S2", first=4), windows(7, "M 8", "S3")])
    made = versions(shared)
    assert made.select("subject_id", "device").rows() == [("S1", "M 7"), ("S2", "M 7"), ("S3", "M 8")]
    assert made["cal_id"][0] == made["cal_id"][1] != made["cal_id"][2]


def test_no_windows_no_versions() -> None:
    assert versions(windows(7).clear()).schema == VERSIONS
