"""What a request asks a model to do, against each configuration run alone."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.backtest.contract import COLD, History
from engine.backtest.grid import EXPANDING_H, Grid, Policy
from engine.backtest.series.asof import State
from engine.backtest.series.origins import judge
from engine.backtest.sweep import timeline as timelines
from engine.backtest.sweep.counts import distinct, over
from engine.backtest.sweep.requests import Request, Span, period_h, request
from engine.backtest.sweep.windows import NO_HOUR, SENTENCES, Role, Short
from tests.engine.backtest.sweep.grids import MODELS, Needed, Traits, needed, series, with_holes

START = 480_003

GRIDS = st.builds(
    Grid,
    models=st.just(MODELS),
    windows_h=st.lists(st.sampled_from([None, 6, 24, 30, 72]), min_size=1, max_size=3, unique=True).map(tuple),
    refits_h=st.lists(st.sampled_from([1, 2, 5, 6, 24, 36]), min_size=1, max_size=3, unique=True).map(tuple),
    policies=st.sampled_from([(Policy.UPDATE,), (Policy.STALE,), (Policy.UPDATE, Policy.STALE)]),
    horizon_h=st.sampled_from([1, 6]),
    every_h=st.sampled_from([1, 3, 24]),
    evaluate_h=st.sampled_from([None, 40]),
    phase_h=st.integers(-3, 25),
    select_h=st.sampled_from([6, 24, 36]),
    anchor_h=st.sampled_from([24, 12]),
)
TRAITS = st.builds(
    Traits,
    history=st.sampled_from(list(History)),
    shortest=st.sampled_from([1, 5, 24]),
    updates=st.booleans(),
    selects=st.booleans(),
)


def found(made: Request) -> Needed:
    """A request as the naive twin says it."""
    result = Needed()
    windows = [None if window == EXPANDING_H else window for window in made.window_h.tolist()]
    names = list(zip(windows, made.cutoff.tolist(), strict=True))
    fits = made.fits
    for i, row in enumerate(made.tried.tolist()):
        name = names[row]
        assert fits.start[i] == made.start[row] and fits.end[i] == made.end[row]
        first = int(made.train_start[row])
        result.fits[name] = first, first + int(fits.end[i] - fits.start[i])
        if made.role[row] == Role.ASKED:
            result.asked.add(name)
        if fits.anchor[i] != COLD:
            assert fits.anchor[i] < i
            result.anchor[name] = names[made.tried[fits.anchor[i]]][1]
        if fits.chosen[i] != COLD:
            assert fits.chosen[i] <= i
            result.select[name] = names[made.tried[fits.chosen[i]]][1]
            assert made.select_cutoff[row] == result.select[name]
        else:
            assert made.select_cutoff[row] == NO_HOUR
        for k in range(int(fits.first[i]), int(fits.first[i + 1])):
            result.forecasts[name[0], name[1], int(made.origin[k])] = int(made.keep[k])
    result.refused = {name for name, short in zip(names, made.short.tolist(), strict=True) if short}
    return result


@settings(max_examples=100, deadline=None)
@given(grid=GRIDS, model=TRAITS, seed=st.integers(0, 1000), n=st.integers(2, 200))
def test_a_request_is_what_each_configuration_needs_alone(grid: Grid, model: Traits, seed: int, n: int) -> None:
    known, timeline = series(START, with_holes(seed, n), grid)
    made = request(timeline, grid, model)
    assert found(made) == needed(known, timeline, grid, model)
    assert np.all(made.lead + made.keep <= made.fits.steps)


@settings(max_examples=60, deadline=None)
@given(grid=GRIDS, model=TRAITS, seed=st.integers(0, 1000), n=st.integers(60, 300), data=st.data())
def test_spans_together_are_the_whole(grid: Grid, model: Traits, seed: int, n: int, data: st.DataObject) -> None:
    _, timeline = series(START, with_holes(seed, n), grid)
    period = period_h(grid, model.selects)
    first = START - (START - grid.phase_h) % period - 2 * period
    days = sorted(data.draw(st.sets(st.integers(1, n // period + 3), max_size=4)))
    edges = [first, *(first + period * day for day in days), START + n + 6 * period]
    whole, parts = found(request(timeline, grid, model)), Needed()
    for a, b in pairwise(edges):
        part = found(request(timeline, grid, model, Span(a, b)))
        assert not parts.fits.keys() & part.fits.keys()
        for name in ("fits", "forecasts", "anchor", "select"):
            getattr(parts, name).update(getattr(part, name))
        parts.refused |= part.refused
        parts.asked |= part.asked
    assert parts == whole


@settings(max_examples=40, deadline=None)
@given(grid=GRIDS, model=TRAITS, seed=st.integers(0, 1000), other=GRIDS)
def test_a_fit_does_not_depend_on_what_else_is_asked(grid: Grid, model: Traits, seed: int, other: Grid) -> None:
    """More windows, refits and policies: the fits that both sweeps make have the same slice, anchor and form."""
    _, timeline = series(START, with_holes(seed, 150), grid)
    more = Grid(
        MODELS,
        tuple(dict.fromkeys((*grid.windows_h, *other.windows_h))),
        tuple(dict.fromkeys((*grid.refits_h, *other.refits_h))),
        (Policy.UPDATE, Policy.STALE),
        grid.horizon_h,
        phase_h=grid.phase_h,
        select_h=grid.select_h,
        anchor_h=grid.anchor_h,
    )
    few, many = found(request(timeline, grid, model)), found(request(timeline, more, model))
    assert few.fits.items() <= many.fits.items()
    assert few.anchor.items() <= many.anchor.items()
    assert few.select.items() <= many.select.items()
    assert few.refused <= many.refused
    for name, steps in few.forecasts.items():
        assert steps <= many.forecasts[name]


def test_every_hour_of_a_path_lies_behind_what_was_seen() -> None:
    grid = Grid(MODELS, (24,), (1, 6), (Policy.UPDATE, Policy.STALE), horizon_h=3, evaluate_h=None)
    _, timeline = series(START, with_holes(3, 200), grid)
    made = request(timeline, grid, Traits())
    newest = timeline.hours[made.fits.at - 1]
    assert np.array_equal(newest + 1 + made.lead, made.origin)
    assert timeline.observed[made.fits.at - 1].all()


def test_counts_of_an_unbroken_series_follow_the_formulas() -> None:
    grid = Grid(MODELS, (72, 168, 336), (1, 2, 6, 24), evaluate_h=336)
    start = 480_000  # a midnight
    _, timeline = series(start, np.arange(748.0) % 24 + 60, grid)
    hours = timeline.origins
    made = request(timeline, grid, Traits(selects=True))
    counted = distinct([over(336, int(hours[0]), 1)], 3, grid.refits_h)
    assert hours.size == 336
    assert (made.role == Role.ASKED).sum() == counted.fits
    assert made.origin.size == counted.forecasts
    assert not made.short.any()


def test_a_form_is_chosen_as_soon_as_the_window_lies_in_the_series() -> None:
    """At 10:00 of the first day, a window of 24 h is full at 10:00 of the second: all its hours share that choice."""
    grid = Grid(MODELS, (24,), (6,), evaluate_h=None)
    start = 480_000 + 10
    _, timeline = series(start, np.arange(60.0) % 7 + 60, grid)
    made = request(timeline, grid, Traits(selects=True))
    rows = made.tried
    assert made.cutoff[rows][:3].tolist() == [start + 24, start + 26, start + 32]
    assert made.role[rows][:3].tolist() == [Role.SELECT, Role.ASKED, Role.ASKED]
    assert made.select_cutoff[rows][:3].tolist() == [start + 24] * 3
    assert made.fits.chosen[:3].tolist() == [0, 0, 0]
    assert made.fits.anchor[:3].tolist() == [COLD] * 3


@pytest.mark.parametrize(
    ("model", "window", "reason"),
    [
        (Traits(), 80, Short.WINDOW),
        (Traits(shortest=80), None, Short.SLICE),
        (Traits(History.SEASONAL), 24, Short.HISTORY),
        (Traits(History.SHORT), 12, Short.HISTORY),
    ],
)
def test_what_is_too_short_says_why(model: Traits, window: int | None, reason: Short) -> None:
    grid = Grid(MODELS, (window,), (1,), evaluate_h=None)
    _, timeline = series(START, np.arange(60.0) % 5 + 60, grid)
    made = request(timeline, grid, model)
    assert reason in made.short
    assert SENTENCES[reason]


def test_nothing_is_forecast_across_a_gap_of_more_than_a_day() -> None:
    """The cutoff 480,000 + 48 sees hours before the gap only, so it serves no origin after it."""
    grid = Grid(MODELS, (24,), (48,), evaluate_h=None)
    values = np.arange(110.0)
    values[30:60] = np.nan
    _, timeline = series(480_000, values, grid)
    made = request(timeline, grid, Traits())
    assert made.cutoff.tolist() == [480_000, 480_048, 480_096]
    assert made.short.tolist() == [Short.NOTHING, Short.OTHER_SEGMENT, Short.FITS]
    assert np.isin([480_070, 480_095], timeline.origins).all()
    assert made.origin.tolist() == list(range(480_096, 480_110))


def test_an_empty_series_asks_nothing() -> None:
    nothing = np.zeros(0, np.int64)
    timeline = timelines.lay(np.zeros(0), nothing, np.zeros(0, np.bool_), np.array([5, 6]))
    made = request(timeline, Grid(MODELS, (24, None)), Traits())
    assert made.tried.size == made.fits.at.size == 0
    assert set(made.short.tolist()) == {Short.NOTHING}
    assert (
        request(timelines.lay(np.zeros(0), nothing, np.zeros(0, np.bool_), nothing), Grid(MODELS), Traits()).role.size
        == 0
    )


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 1000), history=st.sampled_from(list(History)))
def test_history_is_judged_as_for_origins(seed: int, history: History) -> None:
    grid = Grid(MODELS, evaluate_h=None)
    known, timeline = series(START, with_holes(seed, 160), grid)
    instants = np.arange(START - 3, START + 190)
    mine = timelines.enough(timeline, timelines.look(timeline, instants), history)
    assert np.array_equal(mine, judge([State(known, instants)]).enough(history))
