"""The plan's sums against requests and configurations one by one, and its spans."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.backtest.contract import Floats
from engine.backtest.grid import Grid, Policy
from engine.backtest.models.registry import BUILT_IN, refer, spec
from engine.backtest.sweep import cost, plan
from engine.backtest.sweep.counts import over, separate
from engine.backtest.sweep.cutoffs import configurations
from engine.backtest.sweep.requests import period_h, request
from engine.backtest.sweep.spans import spans
from engine.backtest.sweep.tally import Tally, apart
from tests.engine.backtest.sweep.grids import MODELS, Needed, Traits, needed, series, with_holes

MIDNIGHT = 480_000
GRID = Grid((spec("seasonal_naive"), spec("naive")), (72, 168), (1, 2, 6, 24), evaluate_h=168)


def days(n: int) -> Floats:
    return 70 + 5 * np.sin(np.arange(24.0 * n) / 4)


def test_unbroken_series_count_as_the_formulas_say() -> None:
    lines = [series(MIDNIGHT, days(20), GRID)[1] for _ in range(3)]
    made = plan.make(lines, GRID, refer(GRID.models))
    apart_counts = separate([over(168, 0, 1)], (72, 168), GRID.refits_h)
    assert made.series == 3 and made.origins == made.common == 3 * 168
    for row in made.models.iter_rows(named=True):
        assert row["configurations"] == 8
        assert row["fits"] == 3 * 2 * 168 and row["anchors"] == row["selects"] == row["too_short"] == 0
        assert row["separate_fits"] == 3 * apart_counts.fits
        assert row["separate_forecasts"] == 3 * apart_counts.forecasts
        assert row["rows"] == 3 * 8 * 168 * 24
        assert row["cpu_s"] < row["separate_cpu_s"] and not row["guessed"]
    assert made.sharing == pytest.approx(apart_counts.fits / (2 * 168))
    assert made.windows["origins"].to_list() == made.windows["common"].to_list() == [3 * 168] * 4
    assert made.cpu_s == pytest.approx(made.spans["predicted_s"].sum())
    assert made.wall_s(1000) == made.spans["predicted_s"].max()


def test_a_model_that_is_offered_nothing_does_not_empty_the_common_origins() -> None:
    line = series(MIDNIGHT, days(20), GRID)[1]
    grid = replace(GRID, refits_h=(6, 24))
    made = plan.make([line], grid, refer([spec("seasonal_naive"), spec("mfles")]))
    assert made.models["configurations"].to_list() == [4, 0]
    assert made.common == made.origins == 168


def test_a_long_window_serves_fewer_origins_and_all_are_compared_on_those() -> None:
    line = series(MIDNIGHT, days(5), replace(GRID, evaluate_h=None))[1]
    grid = replace(GRID, windows_h=(24, 72), evaluate_h=None, refits_h=(1, 24))
    made = plan.make([line], grid, refer([spec("seasonal_naive"), spec("naive")]))
    short, long = made.windows.filter(model="seasonal_naive")["origins"].to_list()
    assert (short, long) == (120 - 24, 120 - 72)
    assert made.windows["common"].to_list() == [long] * 4
    assert made.common == long
    assert made.models["too_short"].to_list()[0] > 0


def test_spans_are_by_model_the_costliest_first_and_then_by_series() -> None:
    lines = [series(MIDNIGHT, days(12), GRID)[1] for _ in range(4)]
    costs = {"seasonal_naive": cost.Cost(0, 1, 1), "naive": cost.Cost(0, 1000, 1000)}
    made = plan.make(lines, GRID, refer(GRID.models), costs, aim_s=60.0)
    rows = made.spans.select("model", "series", "first").rows()
    assert [model for model, _, _ in rows] == sorted(model for model, _, _ in rows)
    assert rows == sorted(rows, key=lambda row: (row[0] != "naive", row[1:]))
    assert made.spans.filter(model="seasonal_naive").height == 4
    assert made.spans.filter(model="naive").height > 8


def test_no_series() -> None:
    made = plan.make([], GRID, refer(GRID.models))
    assert made.spans.is_empty() and made.cpu_s == 0 and made.wall_s(2) == 0
    assert math.isnan(made.sharing)
    assert made.models["fits"].to_list() == [0, 0]


def test_a_model_without_an_update_is_told() -> None:
    still = {"still": Traits(updates=False), "moving": Traits()}
    (told,) = plan.notes(GRID, still)
    assert told.startswith("still cannot update its states: policy update is not offered for a refit of 2, 6, 24 h")
    both = replace(GRID, policies=(Policy.UPDATE, Policy.STALE))
    assert plan.notes(both, still)[0].endswith("(policy stale is)")
    assert [one.refit_h for one in configurations(GRID, "still", False)] == [1, 1]
    assert len(configurations(both, "still", False)) == 2 * (4 + 1)
    assert not plan.notes(replace(GRID, policies=(Policy.STALE,)), still)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 500),
    n=st.integers(30, 200),
    selects=st.booleans(),
    updates=st.booleans(),
    stale=st.booleans(),
    aim=st.sampled_from([0.01, 0.3, 100.0]),
)
def test_sums_and_spans_of_broken_series(
    seed: int, n: int, selects: bool, updates: bool, stale: bool, aim: float
) -> None:
    policies = (Policy.UPDATE, Policy.STALE) if stale else (Policy.UPDATE,)
    grid = Grid(MODELS, (24, None), (1, 6, 24), policies, 6, evaluate_h=100, select_h=24, anchor_h=12)
    model = Traits(shortest=20, updates=updates, selects=selects)
    known, line = series(MIDNIGHT + 7, with_holes(seed, n), grid)
    asked, slow = request(line, grid, model), needed(known, line, grid, model)
    alone = apart(line, grid, model, asked)
    tally = Tally(grid, {"m": model}, {"m": cost.Cost(9, 3, 2)}, aim)
    tally.add(line)
    assert tally.counts["m"]["fits"] == len(slow.asked)
    assert tally.counts["m"]["fits"] + tally.counts["m"]["anchors"] + tally.counts["m"]["selects"] == len(slow.fits)
    assert tally.counts["m"]["too_short"] == len(slow.refused)
    assert tally.counts["m"]["forecasts"] == len(slow.forecasts)
    for row, window in zip(alone.served, grid.windows_h, strict=True):
        assert row.tolist() == [_served(slow, grid, updates, stale, window, origin) for origin in line.origins.tolist()]
    costs_s = cost.row_costs(
        cost.Cost(9, 3, 2),
        asked.fits.end - asked.fits.start,
        asked.fits.anchor,
        asked.fits.chosen,
        np.diff(asked.fits.first),
    )
    cut = list(spans(asked, costs_s, grid, selects, aim))
    assert sum(one.tried for one in cut) == asked.tried.size
    assert sum(one.refused for one in cut) == asked.cutoff.size - asked.tried.size
    assert sum(one.predicted_s for one in cut) == pytest.approx(costs_s.sum())
    assert all(
        (edge - grid.phase_h) % period_h(grid, selects) == 0 for one in cut for edge in (one.span.first, one.span.stop)
    )
    for one in cut:
        assert request(line, grid, model, one.span).tried.size == one.tried


def _served(slow: Needed, grid: Grid, updates: bool, stale: bool, window: int | None, origin: int) -> bool:
    """Every refit of the window has a forecast for the origin, of the kind that the model can give."""
    reach = {(w, c, c + steps - grid.horizon_h) for (w, c, _), steps in slow.forecasts.items()}
    refits = [refit for refit in grid.refits_h if updates or stale or refit == 1]
    cutoffs = [origin // refit * refit for refit in refits]
    if updates:
        return all((window, cutoff, origin) in slow.forecasts for cutoff in cutoffs)
    return all(any(w == window and c == cutoff and last >= origin for w, c, last in reach) for cutoff in cutoffs)


@given(refit=st.integers(1, 48), updates=st.booleans(), policy=st.sampled_from(list(Policy)))
def test_configurations_are_what_is_offered(refit: int, updates: bool, policy: Policy) -> None:
    grid = Grid(MODELS, (24,), (refit,), (policy,))
    expected = updates or policy is Policy.STALE or refit == 1
    assert len(configurations(grid, "m", updates)) == expected


def test_every_built_in_model_has_a_cost() -> None:
    assert cost.TABLE.keys() == BUILT_IN.keys()
    assert cost.cost_of("their.package:Model", BUILT_IN) == (cost.UNKNOWN, False)


def test_cost_grows_with_the_slice_and_with_what_is_chosen() -> None:
    cold, chooses, n = np.array([True, False, True]), np.array([True, False, False]), np.array([2, 0, 0])
    one = cost.Cost(100, 10, 4, power=2.0, forecast_ms=0.5)
    assert cost.seconds(one, np.array([168, 168, 336]), cold, chooses, n).tolist() == pytest.approx(
        [0.111, 0.004, 0.04]
    )
