"""Data that arrives late: every fit and forecast sees what was known then, and nothing that came later."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.backtest.contract import COLD
from engine.backtest.fits.evaluate import lay
from engine.backtest.grid import Grid, Policy
from engine.backtest.series.asof import at
from engine.backtest.series.series import NEVER, Readings, Series
from engine.backtest.sweep.keys import keys
from engine.backtest.sweep.requests import Request, Span, request
from tests.engine.backtest.sweep.grids import MODELS, Traits

START = 480_000
HOUR_US = 3_600_000_000


def late(seed: int, n: int, most_h: int) -> Series:
    """Three readings an hour, each arriving up to `most_h` hours late; a few are withdrawn later."""
    rng = np.random.default_rng(seed)
    ts_us = np.sort(START * HOUR_US + rng.integers(0, n * HOUR_US, 3 * n))
    arrived = ts_us // HOUR_US + 1 + rng.integers(0, most_h + 1, ts_us.size)
    until = np.where(rng.random(ts_us.size) < 0.05, arrived + rng.integers(1, 9, ts_us.size), NEVER)
    value = np.round(70 + rng.normal(size=ts_us.size), 2)
    readings = Readings(ts_us, value, np.zeros(ts_us.size, np.int64), arrived, until)
    last = at(Series("S", "unnamed", START, np.zeros(0), readings), START + n + most_h).values
    return Series("S", "unnamed", START, last, readings)


def paths(made: Request) -> dict[tuple[int, int, int], tuple[list[float], list[float]]]:
    """What is learned from, and what is seen after it, by window, cutoff and origin."""
    found, fits = {}, made.fits
    for i, row in enumerate(made.tried.tolist()):
        for k in range(int(fits.first[i]), int(fits.first[i + 1])):
            name = int(made.window_h[row]), int(made.cutoff[row]), int(made.origin[k])
            assert name not in found
            found[name] = made.y[fits.start[i] : fits.end[i]].tolist(), made.y[fits.end[i] : fits.at[k]].tolist()
    return found


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 500), most_h=st.integers(0, 30), updates=st.booleans(), stale=st.booleans())
def test_a_forecast_sees_what_was_known(seed: int, most_h: int, updates: bool, stale: bool) -> None:
    policies = (Policy.UPDATE, Policy.STALE) if stale else (Policy.UPDATE,)
    grid = Grid(MODELS, (6, 20), (1, 6, 24), policies, 4, evaluate_h=30)
    series, span = late(seed, 90, most_h), Span(START + 48, START + 96)
    made = request(lay(series, grid, span), grid, Traits(updates=updates, selects=True), span)
    for (window, cutoff, origin), (learned, after) in paths(made).items():
        then, now = at(series, cutoff).view(cutoff), at(series, origin).view(origin)
        assert then is not None and now is not None
        begin = then.begin(window)
        assert begin is not None and learned == then.values[begin:].tolist()
        newest = then.segment.start + then.end
        assert after == now.values[max(newest - now.segment.start, 0) :].tolist()
    _leads_and_links(made, grid)


def _leads_and_links(made: Request, grid: Grid) -> None:
    fits = made.fits
    fit = np.repeat(np.arange(fits.end.size), np.diff(fits.first))
    row = made.tried[fit]
    newest = made.train_start[row] + fits.at - fits.start[fit]
    assert np.array_equal(newest + made.lead, made.origin)
    assert (made.lead >= 0).all() and (made.lead + made.keep <= fits.steps).all()
    assert np.all(fits.at >= fits.end[fit])
    for i, (anchor, chosen) in enumerate(zip(fits.anchor.tolist(), fits.chosen.tolist(), strict=True)):
        repeat = i > 0 and made.tried[i] == made.tried[i - 1]
        assert anchor == COLD or (made.cutoff[made.tried[anchor]] % grid.anchor_h == 0 and anchor < i)
        assert made.cutoff[made.tried[chosen]] == made.select_cutoff[made.tried[i]]
        assert chosen < i if repeat else chosen <= i


def test_on_time_data_needs_no_repeats_and_gives_the_same_fits() -> None:
    grid = Grid(MODELS, (6, None), (1, 6, 24), horizon_h=4, evaluate_h=30)
    series, span = late(3, 90, 0), Span(START + 48, START + 96)
    assert series.readings is not None
    whole = Readings(
        *(getattr(series.readings, name) for name in ("ts_us", "value", "weight", "arrived")), until=np.full(270, NEVER)
    )
    punctual = Series(
        "S", "unnamed", START, at(Series("S", "unnamed", START, np.zeros(0), whole), START + 200).values, whole
    )
    plain = Series("S", "unnamed", START, punctual.values)
    made, other = (request(lay(one, grid, span), grid, Traits(), span) for one in (punctual, plain))
    assert paths(made) == paths(other)
    assert np.unique(made.tried).size == made.tried.size
    assert keys(made, "m") == keys(other, "m")


def test_repeats_have_the_key_of_their_fit() -> None:
    grid = Grid(MODELS, (12,), (24,), horizon_h=4, evaluate_h=40)
    series, span = late(5, 90, 5), Span(START + 48, START + 96)
    made = request(lay(series, grid, span), grid, Traits(selects=True), span)
    assert np.unique(made.tried).size < made.tried.size
    found = keys(made, "m")
    assert all(found.fit_id[row] for row in made.tried.tolist())
    assert len({found.fit_id[row] for row in made.tried.tolist()}) == np.unique(made.tried).size
