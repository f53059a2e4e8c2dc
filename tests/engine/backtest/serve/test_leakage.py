"""Nothing known later than an origin changes what is served at it; nobody else in a sweep changes a configuration."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.backtest.contract import Ints
from engine.backtest.grid import Grid
from engine.backtest.series.series import NEVER, Readings, Series
from engine.backtest.serve.layout import arrange
from engine.backtest.serve.observed import known_since, observe
from engine.backtest.serve.serve import Served
from engine.backtest.serve.settings import Ensemble, Quantiles, Serving, StandIn, Weights
from engine.backtest.serve.tables import SERVED_BY
from tests.engine.backtest.serve.fakes import Fake, configured, grid, run, series, troubles
from tests.engine.backtest.serve.test_serve import FULL, served

LOADED = replace(FULL, ensembles=(*FULL.ensembles, Ensemble("learned", weights=Weights.INVERSE_ERROR, window_h=None)))
FIELDS = ("yhat", "q10", "q50", "q90", "age_h", "served_by", "status")


def same(one: Served, other: Served, upto: Ints | slice) -> None:
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(one, name)[:, upto], getattr(other, name)[:, upto], err_msg=name)
    np.testing.assert_array_equal(one.seasonal[upto], other.seasonal[upto])
    np.testing.assert_array_equal(one.common[upto], other.common[upto])
    for mine, theirs in zip(one.weighed, other.weighed, strict=True):
        for name in ("weight", "status", "n_errors", "mae"):
            np.testing.assert_array_equal(getattr(mine, name)[:, upto], getattr(theirs, name)[:, upto], err_msg=name)


@pytest.mark.parametrize("poison", [np.nan, 1e9, 71.5])
@pytest.mark.parametrize("at", [30, 61])
def test_what_comes_after_an_origin_changes_nothing_before(poison: float, at: int) -> None:
    swept, one = grid(), series()
    origins = observe(one, swept).origins
    fates = troubles(swept, origins.tolist(), 3)
    clean = run(one, swept, fates)
    values = one.values.copy()
    values[origins[at] - one.start :] = poison
    later = {key: "error" if key[2] > origins[at] else fate for key, fate in fates.items()}
    poisoned = run(replace(one, values=values), swept, later)
    (before, made), (after, made_after) = served(clean, swept, LOADED), served(poisoned, swept, LOADED)
    cutoffs = [np.append(stored.cutoff, -1)[found.fit] for found, stored in ((before, made), (after, made_after))]
    np.testing.assert_array_equal(cutoffs[0][:, : at + 1], cutoffs[1][:, : at + 1])
    assert set(np.unique(before.served_by[:, : at + 1]).tolist()) >= {0, 1, 2, 3}
    same(before, after, slice(0, at + 1))
    origin = [[e for e in one.events if e.origin <= at] for one in (before, after)]
    assert origin[0] == origin[1] and origin[0]
    assert not np.array_equal(before.yhat[:, at + 1 :], after.yhat[:, at + 1 :], equal_nan=True)


def test_late_arrivals_count_from_when_they_arrive() -> None:
    values = np.array([60.0, np.nan, 62.0, 63.0])
    ts = np.array([0, 2, 2, 3, 3]) * 3_600_000_000
    readings = Readings(ts, np.full(5, 60.0), np.zeros(5, np.int64), np.array([1, 3, 7, 4, 4]), np.full(5, NEVER))
    one = Series("s", "hr_bpm", 0, values, readings)
    assert known_since(one).tolist() == [1, 2, 7, 4]
    void = replace(readings, until=np.array([NEVER, NEVER, NEVER, 9, NEVER]))
    assert known_since(replace(one, readings=void)).tolist() == [1, 2, 7, 9]
    assert known_since(replace(one, readings=None)).tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize("lag", [0, 5])
def test_late_values_are_learned_from_late(lag: int) -> None:
    """With every value `lag` hours late, what is learned at an origin is what was learned that much earlier."""
    swept, one = grid(policies=("update",), refits_h=(1,)), series(gaps=False)
    fake = run(one, swept)
    late = replace(fake, observed=replace(fake.observed, known=fake.observed.known + lag))
    found, _ = served(late, swept, FULL)
    errors = fake.observed.actual(swept.horizon_h) - found.yhat
    names = [one.model for one in arrange(configured(swept), FULL.ensembles).configurations]
    c, j, i = names.index("drift"), 2, 70
    seen = [errors[c, k, j] for k in range(i) if fake.observed.origins[k] + j + 1 + lag <= fake.observed.origins[i]]
    low = (len(seen) + 1) // 10
    assert found.q10[c, i, j] == found.yhat[c, i, j] + sorted(seen)[low - 1]
    assert found.q90[c, i, j] == found.yhat[c, i, j] + sorted(seen)[len(seen) - low]


@pytest.mark.parametrize("quantiles", list(Quantiles))
def test_a_sweep_serves_each_configuration_as_if_alone(quantiles: Quantiles) -> None:
    serving = Serving(on_failure=(StandIn.PREVIOUS_GOOD, StandIn.SEASONAL_NAIVE), quantiles=quantiles, least_errors=9)
    swept, one = grid(refits_h=(1, 2, 6, 24), every_h=2), series(seed=4)
    fates = troubles(swept, observe(one, swept).origins.tolist(), 5)
    whole, _ = served(run(one, swept, fates), swept, serving)
    layout = arrange(configured(swept), ())
    for c, conf in enumerate(layout.configurations):
        spec = tuple(spec for spec in swept.models if spec.name == conf.model)
        alone = replace(
            swept, models=spec, windows_h=(conf.window_h,), refits_h=(conf.refit_h,), policies=(conf.policy,)
        )
        only, _ = served(run(one, alone, fates), alone, serving)
        for name in FIELDS:
            np.testing.assert_array_equal(getattr(whole, name)[c], getattr(only, name)[0], err_msg=f"{conf} {name}")


def test_a_stand_in_is_never_counted_as_the_model() -> None:
    swept, one = grid(), series()
    fates = troubles(swept, observe(one, swept).origins.tolist(), 3)
    fake = run(one, swept, fates)
    found, stored = served(fake, swept, FULL)
    bad = np.array([status not in (0, 1) for status in stored.status.tolist()])
    own = (found.served_by == SERVED_BY.index("fit")) & (found.fit >= 0)
    assert own.any() and not bad[found.fit[own]].any()
    instead, _ = served(fake, swept, replace(FULL, on_failure=()))
    np.testing.assert_array_equal(found.yhat[own], instead.yhat[own])
    mine = found.served_by == SERVED_BY.index("fit")
    np.testing.assert_array_equal(mine, instead.served_by == SERVED_BY.index("fit"))
    np.testing.assert_array_equal(np.isnan(instead.yhat), ~mine)
    for name in ("q10", "q50", "q90"):  # errors of stand-ins teach nothing
        np.testing.assert_array_equal(getattr(found, name)[mine], getattr(instead, name)[mine])


def test_an_enormous_forecast_is_forgotten_with_its_window() -> None:
    swept, one = grid(policies=("update",), refits_h=(1,), windows_h=(48,)), series(gaps=False)
    serving = Serving(ensembles=(Ensemble("e", ("drift", "level"), Weights.INVERSE_ERROR, 24, 5),))
    clean = run(one, swept)
    fake = run(one, swept)
    row = next(i for i, r in enumerate(fake.attempts.to_pylist()) if r["model"] == "drift" and i % 97 == 20)
    rows = fake.attempts.to_pylist()
    rows[row]["mean"] = [1e300] * swept.horizon_h
    spoilt = Fake(fake.fits, type(fake.attempts).from_pylist(rows, fake.attempts.schema), fake.observed)
    (before,), (after,) = (served(each, swept, serving)[0].weighed for each in (clean, spoilt))
    changed = np.flatnonzero((before.weight != after.weight).any(axis=0))
    assert 0 < len(changed) <= 24 + swept.horizon_h + 1
    np.testing.assert_array_equal(before.weight[:, changed[-1] + 1 :], after.weight[:, changed[-1] + 1 :])


def test_an_unswept_grid_asks_nothing() -> None:
    swept: Grid = grid(evaluate_h=0)
    found, _ = served(run(series(), swept), swept, FULL)
    assert found.yhat.shape[1:] == (0, swept.horizon_h)
