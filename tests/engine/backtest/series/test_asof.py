"""The as-of view: nothing of the future in it, and all of the past that had arrived."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from engine.backtest.series.asof import State, View, at, states
from engine.backtest.series.clean import series_of
from engine.backtest.series.hourly import HOUR_US
from engine.backtest.series.origins import judge
from engine.backtest.series.scale import scales
from engine.backtest.series.series import Series

from .rows import frame, one, random_rows

NAN = np.nan
POISONS = (NAN, 1e9, 117.0)


def views(series: Series, instants: np.ndarray) -> list[View | None]:
    return [state.known.view(int(o)) for state in states(series, instants) for o in state.at]


def content(view: View | None) -> tuple[object, ...] | None:
    if view is None:
        return None
    return view.origin, view.segment.start, view.end, view.lead, view.values.tobytes(), view.flags.tobytes()


def by_vital(rows: pl.DataFrame) -> dict[str, Series]:
    return {series.vital: series for series in series_of(rows)}


def test_view_is_cut_after_the_last_observed_hour() -> None:
    series = Series("a", "hr_bpm", 100, np.array([1.0, 2.0, NAN, NAN, 5.0, 6.0]))
    seen = {o: content_of(series, o) for o in range(99, 109)}
    assert seen[99] is seen[100] is None
    assert seen[101] == ([1.0], 0)
    assert seen[102] == ([1.0, 2.0], 0)
    assert seen[103] == ([1.0, 2.0], 1)
    assert seen[104] == ([1.0, 2.0], 2)
    assert seen[105] == ([1.0, 2.0, 3.0, 4.0, 5.0], 0)  # the closing hour is known: the gap is filled
    assert seen[108] == ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2)


def content_of(series: Series, origin: int) -> tuple[list[float], int] | None:
    view = at(series, origin).view(origin)
    return None if view is None else (view.values.tolist(), view.lead)


def test_windows_are_never_shortened() -> None:
    series = Series("a", "hr_bpm", 100, np.concatenate([np.arange(10.0), [NAN, NAN]]))
    view = at(series, 112).view(112)
    assert view is not None
    assert (view.end, view.lead) == (10, 2)
    assert [view.begin(w) for w in (13, 12, 5, 3, 2, 1, None)] == [None, 0, 7, 9, None, None, 0]


def test_windows_stay_in_their_segment() -> None:
    values = np.concatenate([np.ones(50), np.full(25, NAN), np.ones(10)])
    view = at(Series("a", "hr_bpm", 0, values), 85).view(85)
    assert view is not None
    assert [view.begin(w) for w in (10, 11, None)] == [0, None, 0]


def test_positions_are_the_views() -> None:
    for series in by_vital(random_rows(3)).values():
        instants = np.arange(series.start - 3, series.end + 50)
        (state,) = states(series, instants)
        number, end = state.known.positions(instants)
        for o, i, e in zip(instants.tolist(), number.tolist(), end.tolist(), strict=True):
            view = state.known.view(o)
            assert (view is None) == (e == -1)
            if view is not None:
                assert (view.segment, view.end) == (state.known.segments[i], e)


def test_nothing_observed() -> None:
    series = Series("a", "hr_bpm", 5, np.full(4, NAN))
    assert views(series, np.arange(4, 12)) == [None] * 8
    assert states(series, np.empty(0, np.int64)) == []


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_as_of_equals_starting_from_what_was_there(seed: int, late: bool) -> None:
    """The slow and obvious way: throw away all rows that were not there yet, then build the series anew."""
    rows = random_rows(seed, 200, late)
    origins = np.arange(1, 260, 7)
    found = {vital: views(series, origins) for vital, series in by_vital(rows).items()}
    assert all((series.readings is not None) is late for series in by_vital(rows).values())
    known = pl.max_horizontal(pl.col("ts_us").floordiv(HOUR_US) + 1, "arrived")
    for i, origin in enumerate(origins.tolist()):
        anew = by_vital(rows.filter(known <= origin))
        for vital, seen in found.items():
            naive = at(anew[vital], 10_000).view(origin) if vital in anew else None
            assert content(seen[i]) == content(naive), (vital, origin)


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("poison", POISONS)
def test_poison_behind_an_origin_changes_no_view_before(poison: float, late: bool) -> None:
    """117 is plausible: only what time says may keep it out."""
    rows = random_rows(11, 300, late)
    known = pl.max_horizontal(pl.col("ts_us").floordiv(HOUR_US) + 1, "arrived")
    clean = by_vital(rows)
    before = {vital: [content(view) for view in views(series, np.arange(223))] for vital, series in clean.items()}
    for origin in (3, 60, 61, 150, 222):
        instants = np.arange(0, origin + 1)
        poisoned = by_vital(rows.with_columns(value=pl.when(known > origin).then(poison).otherwise("value")))
        for vital, series in clean.items():
            assert before[vital][: origin + 1] == [content(view) for view in views(poisoned[vital], instants)]
            for mine, theirs in zip(told(series, instants), told(poisoned[vital], instants), strict=True):
                assert mine.tobytes() == theirs.tobytes()


def told(series: Series, instants: np.ndarray) -> list[np.ndarray]:
    """All else that is said of instants: what is known there, and the denominators."""
    seen = states(series, instants)
    judged, scale = judge(seen), scales(seen, 24)
    return [getattr(judged, name) for name in judged.__slots__] + [getattr(scale, name) for name in scale.__slots__]


def test_poisoned_hours_change_no_view_before() -> None:
    rng = np.random.default_rng(5)
    values = rng.normal(80, 5, 300)
    for a in rng.integers(0, 300, 12):
        values[a : a + rng.choice([2, 4, 12, 26])] = NAN
    for origin in range(7, 300, 13):
        for poison in POISONS:
            other = values.copy()
            other[origin:] = poison
            instants = np.arange(0, origin + 1)
            mine, theirs = (views(Series("a", "hr_bpm", 0, one), instants) for one in (values, other))
            assert [content(v) for v in mine] == [content(v) for v in theirs]


def test_a_late_reading_changes_its_hour_when_it_arrives() -> None:
    rows = frame([(0.1, 60.0), (0.5, 90.0), (1.5, 70.0), (2.5, 80.0)], arrived=[1, 5, 2, 3])
    series = one(rows)
    assert series.values.tolist() == [75.0, 70.0, 80.0]
    assert [content_of(series, o) for o in (1, 3, 4, 5)] == [
        ([60.0], 0), ([60.0, 70.0, 80.0], 0), ([60.0, 70.0, 80.0], 1), ([75.0, 70.0, 80.0], 2)
    ]  # fmt: skip


def test_a_night_that_arrives_in_the_morning() -> None:
    series = one(frame([(h + 0.5, 60.0 + h) for h in range(8)], arrived=[9] * 8))
    assert content_of(series, 8) is None
    assert content_of(series, 9) == ([60.0 + h for h in range(8)], 1)
    assert len(states(series, np.arange(1, 30))) == 2


def test_a_diastolic_that_arrives_later_voids_the_systolic_from_then_on() -> None:
    rows = pl.concat([
        frame([(0.5, 100.0), (1.5, 110.0)], "sbp_mmhg", arrived=[1, 2]),
        frame([(0.5, 95.0)], "dbp_mmhg", arrived=[4]),
    ])  # fmt: skip
    series = by_vital(rows)
    assert series["sbp_mmhg"].corrections.pressure == series["dbp_mmhg"].corrections.pressure == 1
    assert [content_of(series["sbp_mmhg"], o) for o in (3, 4)] == [([100.0, 110.0], 1), ([110.0], 2)]
    assert content_of(series["dbp_mmhg"], 10) is None


def test_origins_between_arrivals_share_a_state() -> None:
    series = by_vital(random_rows(2, 100, late=True))["sbp_mmhg"]
    groups = states(series, np.arange(0, 400))
    assert np.concatenate([state.at for state in groups]).tolist() == list(range(400))
    assert all(isinstance(state, State) for state in groups)
    assert groups[-1].at.tolist()[-1] - groups[-1].at.tolist()[0] > 200
