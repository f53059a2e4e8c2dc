"""The demo's error table: right numbers, and the share kept beside every error."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from jobs.accuracy import against_truth

START = datetime(2026, 3, 27, 22, tzinfo=UTC)
TIMES = [START + timedelta(seconds=10 * i) for i in range(4)]


def frames() -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    subject = {"subject_id": ["P01"] * 4, "ts": TIMES}
    truth = pl.DataFrame(
        {
            **subject,
            "hr_bpm": [60.0, 60.0, 60.0, None],
            "rmssd_ms": [50.0] * 4,
            "skin_temp_c": [33.0] * 4,
            "wear": [True, True, True, False],
            "sleep": [True, True, False, False],
        }
    )
    epochs = pl.DataFrame(
        {
            **subject,
            "source_id": ["P01/2026-03-27"] * 4,
            "hr_bpm": [61.0, 58.0, 90.0, 61.0],
            "rmssd_ms": [55.0, 50.0, None, None],
            "skin_temp_c": [33.5, None, 33.0, 20.0],
            "wear": [1, 1, 0, 0],
            "q_ppg": [0.9, 0.6, 0.2, 1.0],
            "q_temp": [1.0] * 4,
            "sleep_state": ["sleep", "wake", "wake", None],
        }
    )
    night = {"subject_id": ["P01"], "night_date": [date(2026, 3, 27)]}
    true_night = pl.DataFrame({**night, "spt_onset": [START], "spt_end": [START + timedelta(hours=8)]})
    found = pl.DataFrame({**night, "spt_onset": [START + timedelta(minutes=3)], "spt_end": [None]})
    return epochs, found.with_columns(pl.col("spt_end").cast(found["spt_onset"].dtype)), truth, true_night


def test_every_error_stands_beside_what_was_kept() -> None:
    table = {row["quantity"]: row for row in against_truth(*frames()).to_dicts()}
    heart = table["heart rate"]
    assert (heart["compared"], heart["value"]) == (2, pytest.approx(1.5))
    assert heart["kept_pct"] == pytest.approx(66.67)
    assert table["RMSSD"]["value"] == pytest.approx(5.0)
    assert (table["skin temperature"]["compared"], table["skin temperature"]["value"]) == (2, pytest.approx(0.25))
    assert table["wear"]["value"] == pytest.approx(25.0)
    assert table["sleep or wake"]["value"] == pytest.approx(33.33)
    assert table["sleep onset"]["value"] == pytest.approx(3.0)
    assert (table["sleep end"]["compared"], table["sleep end"]["value"]) == (0, None)


def test_nothing_found_is_no_error_of_zero() -> None:
    epochs, nights, truth, true_nights = frames()
    table = against_truth(epochs.clear(), nights.clear(), truth, true_nights)
    assert table["value"].to_list() == [None] * table.height
