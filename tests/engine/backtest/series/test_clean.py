"""Readings to series: what is dropped, what is converted, and that it is counted."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from engine.backtest.series.clean import series_of
from engine.backtest.series.names import READINGS
from engine.errors import UserError

from .rows import frame, one

NAN = np.nan


def test_median_of_the_hour() -> None:
    series = one(frame([(5.1, 60.0), (5.2, 62.0), (5.9, 90.0), (6.0, 70.0), (7.5, 70.0), (7.6, 80.0)]))
    assert (series.start, series.end, series.values.tolist()) == (5, 8, [62.0, 70.0, 75.0])
    assert series.corrections.hours == 3


def test_order_of_the_rows_does_not_matter() -> None:
    rows = frame([(h / 3, 60.0 + h % 7) for h in range(60)])
    assert one(rows).values.tobytes() == one(rows.sample(fraction=1.0, shuffle=True, seed=1)).values.tobytes()


def test_every_correction_is_counted() -> None:
    readings = [
        (0.0, 60.0), (0.0, 60.0), (1.0, None), (1.5, NAN), (2.0, 0.0), (2.1, np.inf), (3.0, 300.0), (4.0, 24.9),
        (5.0, 60.0), (5.001, 150.0), (6.0, 61.0),
    ]  # fmt: skip
    found = one(frame(readings)).corrections
    assert (found.readings, found.missing, found.duplicates, found.implausible, found.rate) == (11, 4, 1, 2, 1)
    assert (found.hours, found.pressure, found.converted, found.stuck) == (3, 0, 0, 0)


def test_hours_without_a_plausible_reading_stay_in_the_grid() -> None:
    series = one(frame([(0.0, None), (1.0, 60.0), (2.0, 999.0), (3.0, None)]))
    assert (series.start, len(series.values)) == (0, 4)
    assert np.isfinite(series.values).tolist() == [False, True, False, False]


def test_a_series_of_garbage_is_a_series() -> None:
    series = one(frame([(0.0, 1e9), (1.0, 0.0)]))
    assert (len(series.values), series.corrections.hours) == (2, 0)


@pytest.mark.parametrize("vital", ["temp_c", "skin_temp_c"])
def test_temperatures_become_celsius(vital: str) -> None:
    series = one(frame([(0.0, 98.6), (1.0, 310.15), (2.0, 37.0), (3.0, -17.8), (4.0, 3.5)], vital))
    assert series.values[:3] == pytest.approx([37.0, 37.0, 37.0])
    assert (series.corrections.converted, series.corrections.implausible) == (2, 2)


def test_only_temperatures_are_converted() -> None:
    assert one(frame([(0.0, 98.6)], "hr_bpm")).values.tolist() == [98.6]


def test_stuck_from_the_24th_hour_on_but_not_saturation() -> None:
    rows = [(float(h), 97.0) for h in range(30)]
    series = one(frame(rows, "hr_bpm"))
    assert (series.corrections.stuck, np.isfinite(series.values).sum()) == (7, 23)
    assert one(frame(rows, "spo2_pct")).corrections.stuck == 0


def test_a_vital_without_limits_is_taken_as_it_is() -> None:
    series = one(frame([(float(h), 0.0) for h in range(40)] + [(40.0, -1e6)], "value"))
    assert series.corrections.hours == 41
    assert series.values[-1] == -1e6


def test_pressures_of_one_instant_that_are_too_close() -> None:
    rows = pl.concat([
        frame([(0.0, 120.0), (1.0, 84.0), (2.0, 84.0)], "sbp_mmhg"),
        frame([(0.0, 80.0), (1.0, 75.0), (2.5, 80.0)], "dbp_mmhg"),
    ])  # fmt: skip
    low, high = series_of(rows)
    assert (low.vital, low.corrections.pressure, high.corrections.pressure) == ("dbp_mmhg", 1, 1)
    assert np.isfinite(high.values).tolist() == [True, False, True]
    assert np.isfinite(low.values).tolist() == [True, False, True]
    assert high.readings is low.readings is None


def test_pressures_of_two_people_are_not_compared() -> None:
    rows = pl.concat([frame([(0.0, 84.0)], "sbp_mmhg"), frame([(0.0, 80.0)], "dbp_mmhg", subject_id="b")])
    assert [series.corrections.pressure for series in series_of(rows)] == [0, 0]


def test_hours_of_several_sources_are_weighted() -> None:
    series = one(frame([(3.0, 60.0), (3.0, 150.0), (4.0, 70.0)], weight=[300, 100, 5]))
    assert series.values.tolist() == [82.5, 70.0]
    assert (series.corrections.rate, series.corrections.duplicates) == (0, 0)


def test_equal_hours_of_two_sources_are_no_duplicates() -> None:
    assert one(frame([(3.0, 60.0), (3.0, 60.0)], weight=[3, 3])).corrections.duplicates == 0


def test_the_first_arrival_of_a_duplicate_counts() -> None:
    series = one(frame([(3.5, 60.0), (3.5, 60.0), (5.0, 61.0)], arrived=[9, 7, 8]))
    assert series.readings is not None
    assert series.readings.arrived.tolist() == [7, 8]


def test_arrivals_within_their_hour_change_nothing() -> None:
    assert one(frame([(3.5, 60.0), (4.5, 61.0)], arrived=[4, 5])).readings is None


def test_several_subjects_and_vitals_come_in_order() -> None:
    rows = pl.concat([frame([(0.0, 60.0)], "rr_brpm", subject_id=s) for s in "cab"] + [frame([(0.0, 60.0)])])
    found = [(series.subject_id, series.vital) for series in series_of(rows)]
    assert found == [("a", "hr_bpm"), ("a", "rr_brpm"), ("b", "rr_brpm"), ("c", "rr_brpm")]


def test_nothing() -> None:
    assert list(series_of(READINGS.to_frame())) == []


def test_times_in_another_unit_than_said_do_not_fill_the_memory() -> None:
    with pytest.raises(UserError, match=r"a, hr_bpm: spans .* years; are the times in the unit"):
        one(frame([(0.0, 60.0), (2_000_000.0, 60.0)]))


def test_before_1970() -> None:
    series = one(frame([(-2.5, 60.0), (-1.0, 61.0), (0.5, 62.0)]))
    assert (series.start, series.values[[0, 2, 3]].tolist()) == (-3, [60.0, 61.0, 62.0])


def test_two_devices_at_one_instant_stay_or_go_together() -> None:
    rows = [(0.0, 60.0), (0.0, 70.0), (0.01, 200.0), (0.01, 204.0), (0.5, 66.0), (0.5, 64.0)]
    series = one(frame(rows))
    assert (series.corrections.rate, series.values.tolist()) == (2, [65.0])
