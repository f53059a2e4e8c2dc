"""Gaps: what is filled with what, and what is not."""

from __future__ import annotations

import numpy as np
import pytest

from engine.backtest.series.segments import Flag, split

NAN = np.nan


def with_gap(n: int, a: int, width: int, seed: int = 0) -> np.ndarray:
    values = np.random.default_rng(seed).normal(80, 5, n)
    values[a : a + width] = NAN
    return values


def test_no_gap_is_one_segment_as_it_is() -> None:
    values = np.arange(30.0)
    (segment,) = split("hr_bpm", 7, values)
    assert (segment.start, segment.end) == (7, 37)
    assert segment.values.tolist() == values.tolist()
    assert not segment.flags.any()


def test_nothing_observed_has_no_segment() -> None:
    assert split("hr_bpm", 0, np.full(5, NAN)) == ()
    assert split("hr_bpm", 0, np.empty(0)) == ()


def test_ends_that_were_not_observed_are_cut_off() -> None:
    (segment,) = split("hr_bpm", 10, np.array([NAN, 1.0, NAN, 3.0, NAN]))
    assert (segment.start, segment.values.tolist()) == (11, [1.0, 2.0, 3.0])
    assert segment.flags.tolist() == [0, Flag.INTERPOLATED, 0]


@pytest.mark.parametrize(("vital", "width", "flag"), [
    ("hr_bpm", 3, Flag.INTERPOLATED), ("hr_bpm", 4, Flag.PROFILED),
    ("temp_c", 6, Flag.INTERPOLATED), ("skin_temp_c", 6, Flag.INTERPOLATED), ("temp_c", 7, Flag.PROFILED),
    ("hr_bpm", 24, Flag.PROFILED),
])  # fmt: skip
def test_width_decides(vital: str, width: int, flag: Flag) -> None:
    values = with_gap(300, 200, width)
    (segment,) = split(vital, 0, values)
    assert segment.flags[200 : 200 + width].tolist() == [flag] * width
    assert np.count_nonzero(segment.flags) == width
    assert np.isfinite(segment.values).all()


def test_line() -> None:
    (segment,) = split("hr_bpm", 0, np.array([0.0, NAN, NAN, 3.0, NAN, 5.0, NAN, NAN, NAN, 9.0]))
    assert segment.values == pytest.approx(np.arange(10.0))


def test_more_than_a_day_starts_anew() -> None:
    before, after = split("hr_bpm", 100, with_gap(300, 200, 25))
    assert (before.start, before.end, after.start, after.end) == (100, 300, 325, 400)


def test_profile_is_the_median_of_the_same_hours_of_the_seven_days_before() -> None:
    values = with_gap(500, 300, 10)
    values[[301 - 24, 301 - 48]] = NAN  # one hour of day with five days only
    (segment,) = split("hr_bpm", 0, values)
    for hour in range(300, 310):
        days = values[[hour - 24 * k for k in range(1, 8)]]
        assert segment.values[hour] == np.median(days[np.isfinite(days)])


def test_profile_takes_no_filled_hour_and_none_of_the_eighth_day() -> None:
    values = np.full(24 * 9, 80.0)
    values[: 24 + 12] = 200.0  # older than 7 days before the gap at hour 204 = 8.5 d
    values[100:110] = NAN
    values[204:214] = NAN
    (segment,) = split("hr_bpm", 0, values)
    assert segment.values[204:214].tolist() == [80.0] * 10


def test_level_where_no_such_hour_was_observed() -> None:
    values = np.array([60.0, 70.0, 90.0, *[NAN] * 10, 80.0])
    (segment,) = split("hr_bpm", 0, values)
    assert segment.values[3:13].tolist() == [70.0] * 10
    assert segment.flags[3:13].tolist() == [Flag.LEVELLED] * 10


def test_mixed_profile_and_level_in_one_gap() -> None:
    values = np.concatenate([[1.0, 5.0, 9.0], np.full(19, 5.0), np.full(6, NAN), [5.0]])
    (segment,) = split("hr_bpm", 0, values)
    assert segment.flags[22:28].tolist() == [3, 3, 2, 2, 2, 2]
    assert segment.values[22:28].tolist() == [5.0, 5.0, 1.0, 5.0, 9.0, 5.0]


def test_a_segment_knows_nothing_of_the_one_before() -> None:
    values = np.concatenate([np.full(100, 50.0), np.full(25, NAN), [90.0], np.full(10, NAN), [91.0]])
    assert split("hr_bpm", 0, values)[1].values[1:-1].tolist() == [90.0] * 10


@pytest.mark.parametrize("seed", range(20))
def test_cutting_after_an_observed_hour_changes_nothing_before(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(80, 5, 400)
    for _ in range(8):
        a = rng.integers(400)
        values[a : a + rng.choice([1, 3, 4, 10, 24, 25, 30])] = NAN
    whole = split("hr_bpm", 0, values)
    for stop in np.flatnonzero(np.isfinite(values))[::17] + 1:
        cut = split("hr_bpm", 0, values[:stop])
        for short, long in zip(cut, whole, strict=False):
            n = len(short.values)
            assert short.start == long.start
            assert short.values.tobytes() == long.values[:n].tobytes()
            assert short.flags.tobytes() == long.flags[:n].tobytes()
        assert cut[-1].end == stop
