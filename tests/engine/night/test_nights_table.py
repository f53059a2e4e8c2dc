"""What the columns of `nights` say of themselves is how a reader gets them from `epochs`."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from engine.module import RawFile, Source
from engine.night.night import Night
from engine.simulate import nights


def test_features_are_those_of_the_epochs_asleep_and_worn() -> None:
    drawn = nights.draw(2, night_date=date(2026, 3, 20), hours=7)
    outcome = Night()([RawFile("n.zip", drawn.zip())], Source("s", ("n.zip",), "P01", zone="Europe/Zurich"))
    (night,) = outcome.tables["nights"].to_pylist()
    epochs = pl.DataFrame(pl.from_arrow(outcome.tables["epochs"]))
    period = epochs.filter(pl.col("ts").is_between(night["spt_onset"], night["spt_end"], closed="left"))
    asleep = period.filter(pl.col("sleep_state") == "sleep", pl.col("wear") == 1)
    good = asleep.filter(pl.col("q_ppg") >= 0.6)
    enmo = asleep["enmo_mg"].drop_nulls()
    expected = {
        "hr_mean": good["hr_bpm"].mean(),
        "hr_median": good["hr_bpm"].median(),
        "rmssd_median": asleep["rmssd_ms"].median(),
        "sdnn_median": asleep["sdnn_ms"].median(),
        "wst_mean": asleep["skin_temp_c"].mean(),
        "wst_median": asleep["skin_temp_c"].median(),
        "enmo_mean": enmo.mean(),
        "still_frac": (enmo < 5).mean(),
        "rr_median": asleep["rr_brpm"].median(),
        "hrv_ratio_median": asleep["hrv_ratio"].median(),
        "pulse_amp_median": good["pulse_amp"].median(),
        "tst_h": (period["sleep_state"] == "sleep").sum() / 360,
        "waso_min": (period["sleep_state"] == "wake").sum() / 6,
        "wear_frac": (period["wear"] == 1).mean(),
    }
    assert len(asleep) < len(period) and None not in expected.values()
    assert {name: night[name] for name in expected} == pytest.approx(expected, rel=1e-9)
