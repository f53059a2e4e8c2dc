"""Origins on the wall clock, and what is known at them."""

from __future__ import annotations

import numpy as np
import pytest

from engine.backtest.contract import History
from engine.backtest.grid import Grid
from engine.backtest.series.asof import states
from engine.backtest.series.origins import Judged, OriginStatus, judge, origins
from engine.backtest.series.series import Series

from .rows import random_rows

NAN = np.nan


def judged(values: np.ndarray, instants: list[int], start: int = 0) -> Judged:
    return judge(states(Series("a", "hr_bpm", start, values), np.array(instants, np.int64)))


def test_the_last_hours_of_a_series() -> None:
    found = origins(1000, 2000, Grid((), evaluate_h=336))
    assert (len(found), found[0], found[-1]) == (336, 1664, 1999)


def test_all_of_a_short_series() -> None:
    assert origins(10, 14, Grid((), evaluate_h=168)).tolist() == [11, 12, 13]
    assert origins(10, 11, Grid((), evaluate_h=168)).tolist() == []


@pytest.mark.parametrize("every", [1, 2, 3, 6, 24])
@pytest.mark.parametrize("phase", [0, 1, 23])
def test_the_clock_decides_not_the_ends(every: int, phase: int) -> None:
    grid = Grid((), evaluate_h=100, every_h=every, phase_h=phase)
    a, b = origins(0, 500, grid), origins(37, 503, grid)
    assert ((a - phase) % every == 0).all()
    assert sorted(set(a.tolist()) & set(range(403, 500))) == sorted(set(b.tolist()) & set(range(403, 500)))


def test_statuses() -> None:
    values = np.full(200, NAN)
    values[10:20] = 1.0
    values[100:105] = 2.0
    found = judged(values, [5, 10, 15, 16, 20, 26, 27, 67, 68, 101, 105])
    no, ok, stale, skipped = (OriginStatus(name) for name in ("no_history", "ok", "stale_data", "skipped_missing"))
    assert found.status == [no, no, no, ok, ok, ok, stale, stale, skipped, no, no]
    assert found.lead_h.tolist() == [-1, -1, 0, 0, 0, 6, 7, 47, 48, 0, 0]
    assert found.n_recent.tolist() == [0, 0, 5, 6, 10, 10, 10, 1, 0, 1, 5]
    assert found.n_observed.tolist() == [0, 0, 5, 6, 10, 10, 10, 10, 10, 1, 5]
    assert found.ok.tolist() == [status is ok for status in found.status]


def test_short_history() -> None:
    values = np.ones(100)
    assert judged(values, [23, 24]).enough(History.SHORT).tolist() == [False, True]
    values[40:65] = NAN
    assert judged(values, [65, 88, 89]).enough(History.SHORT).tolist() == [False, False, True]


def test_seasonal_history_is_72_hours_with_60_percent() -> None:
    values = np.ones(100)
    assert judged(values, [71, 72]).enough(History.SEASONAL).tolist() == [False, True]
    values[[*range(10, 34), *range(50, 54)]] = NAN  # 28 of 72
    assert judged(values, [72]).enough(History.SEASONAL).tolist() == [True]
    values[60] = NAN
    assert judged(values, [72]).enough(History.SEASONAL).tolist() == [False]


def test_any_history() -> None:
    assert judged(np.ones(5), [0, 1]).enough(History.ANY).tolist() == [False, True]


def test_judged_on_what_had_arrived() -> None:
    from .test_asof import by_vital

    series = by_vital(random_rows(4, 150, late=True))["sbp_mmhg"]
    instants = np.arange(0, 200)
    together = judge(states(series, instants))
    for o in (5, 50, 77, 120, 199):
        alone = judge(states(series, np.array([o])))
        for name in Judged.__slots__:
            assert getattr(alone, name)[0] == getattr(together, name)[o]
    view = states(series, np.array([120]))[0].known.view(120)
    assert view is not None
    assert (together.span_h[120], together.lead_h[120]) == (view.end, view.lead)
    assert together.n_observed[120] == (view.flags == 0).sum()


def test_nothing_to_judge() -> None:
    assert judge([]).status == []
