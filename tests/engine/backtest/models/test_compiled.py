"""Every compiled model keeps the contract of a swept one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.backtest.contract import Sweeping
from engine.backtest.models.auto_theta import AutoTheta
from engine.backtest.models.dynamic_optimized_theta import DynamicOptimizedTheta
from engine.backtest.models.naive import Naive
from engine.backtest.models.seasonal_naive import SeasonalNaive
from engine.backtest.models.stl_drift import STLDrift
from engine.backtest.models.stl_naive import STLNaive
from engine.backtest.models.stlm_ets import STLMEts
from engine.backtest.models.theta import Theta
from engine.backtest.models.window_average import WindowAverage
from tests.engine.backtest.models import agreement

MODELS = [
    SeasonalNaive(),
    Naive(),
    WindowAverage(5),
    Theta(),
    Theta(season_h=1),
    DynamicOptimizedTheta(),
    AutoTheta(),
    STLNaive(),
    STLDrift(),
    STLMEts(),
]
FLAT = {"seasonal_naive", "theta", "dynamic_optimized_theta", "auto_theta", "stl_naive", "stl_drift", "stlm_ets"}
each = pytest.mark.parametrize("model", MODELS, ids=repr)
CUTS = range(360, 372)


@each
def test_a_sweep_equals_one_fit_after_another_to_the_bit(model: Sweeping) -> None:
    y = agreement.daily(400, seed=3)
    assert isinstance(model, Sweeping)
    agreement.sweep_equals_one_by_one(model, y, agreement.rolling(y, (72, 168, 336), CUTS))
    agreement.sweep_equals_one_by_one(model, y - 70, agreement.rolling(y, (168,), CUTS, steps=47))


@each
def test_a_fit_does_not_depend_on_the_others_asked_for(model: Sweeping) -> None:
    agreement.subset_equals_whole(model, agreement.daily(400, seed=4), (72, 168), CUTS)


@each
@pytest.mark.parametrize("poison", [np.nan, 1e9])
def test_nothing_after_an_origin_matters(model: Sweeping, poison: float) -> None:
    y = agreement.daily(400, seed=5)
    agreement.nothing_after_an_origin_matters(model, y, agreement.rolling(y, (72, 168), CUTS, 8), poison)


def test_json_forecasts_equally_in_a_new_process() -> None:
    agreement.json_forecasts_equally_elsewhere(MODELS, agreement.daily(200, seed=6))


@each
def test_short_slices_fail_alone(model: Sweeping) -> None:
    agreement.short_slices_fail_alone(model, agreement.daily(300, seed=7))


@each
def test_indices_outside_the_series_are_refused(model: Sweeping) -> None:
    y = agreement.daily(300)
    fits = agreement.rolling(y, (168,), range(240, 242), 3)
    for bad in (
        replace(fits, end=fits.end + 100),
        replace(fits, start=fits.start - 500),
        replace(fits, at=fits.at - 9),
    ):
        with pytest.raises(ValueError, match="reach outside"):
            model.sweep(y, bad)
    with pytest.raises(ValueError, match="reach outside"):
        model.predict(model.fit(y[:200], model.forms[0], None, 200).params, y[200:210], np.array([11]), 3)


@pytest.mark.parametrize("model", [model for model in MODELS if model.name in FLAT], ids=repr)
def test_the_error_is_flat_in_age(model: Sweeping) -> None:
    errors = agreement.errors_by_age(model, range(8), 168)
    assert errors[12:].mean() < 1.05 * errors[:12].mean()
    assert errors.max() < 1.4 * errors.mean()
