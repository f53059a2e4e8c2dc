"""Every compiled model keeps the contract of a swept one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.backtest.contract import Fits, Sweeping
from engine.backtest.models.auto_ets import AutoETS
from engine.backtest.models.auto_theta import AutoTheta
from engine.backtest.models.dynamic_optimized_theta import DynamicOptimizedTheta
from engine.backtest.models.ets import ETS, FORMS
from engine.backtest.models.holt_winters import HoltWinters
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
    ETS(),
    ETS("AAdA"),
    ETS("AAdN"),
    AutoETS(),
    AutoETS(tuple(FORMS)),
    AutoETS(("ANN", "AAN")),
    HoltWinters(),
    HoltWinters(damped=True),
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


@each
def test_numbers_that_overflow_fail_and_do_not_crash(model: Sweeping) -> None:
    y = agreement.daily(300, seed=8)
    y[200:210] *= 1e200
    fits = agreement.rolling(y, (72, 168), range(205, 260), 4)
    swept = model.sweep(y, fits)
    owner = np.repeat(np.arange(fits.end.size), np.diff(fits.first))
    for i, (params, failure) in enumerate(zip(swept.params, swept.failures, strict=True)):
        assert (params is None) == bool(failure)
        assert params is None or not np.isnan(swept.paths.mean[owner == i]).all()


@pytest.mark.parametrize(
    "model", [model for model in MODELS if model.name in FLAT and "=1)" not in repr(model)], ids=repr
)
def test_an_exact_rhythm_goes_on(model: Sweeping) -> None:
    y = 70 + 8 * np.sin(2 * np.pi * np.arange(400) / 24)
    paths = model.sweep(y, agreement.rolling(y, (168,), range(330, 340), 24)).paths
    at = agreement.rolling(y, (168,), range(330, 340), 24).at
    for row, origin in enumerate(at[at <= 376]):
        np.testing.assert_allclose(paths.mean[row], y[origin : origin + 24], atol=0.05)


SELECTING = pytest.mark.parametrize("model", [model for model in MODELS if model.selects], ids=repr)


@SELECTING
def test_a_fit_told_to_choose_for_itself_does(model: Sweeping) -> None:
    y = agreement.daily(400, seed=9)
    fits = agreement.rolling(y, (168,), CUTS, 4)
    own = np.where(fits.chosen < 0, np.arange(fits.chosen.size), fits.chosen)
    here, there = model.sweep(y, fits), model.sweep(y, replace(fits, chosen=own))
    assert here.form == there.form and set(here.form) <= set(model.forms)
    assert list(here.params) == list(there.params)


@SELECTING
def test_an_anchor_of_another_form_or_that_failed_starts_nothing(model: Sweeping) -> None:
    y = agreement.daily(300, seed=10)
    one, other = model.forms[:2]
    numbers = [np.array(part, np.int64) for part in ([0, 4], [168, 172], [0, 1, 2], [168, 172], [-1, 0], [-1, -1])]
    cold = model.fit(y[4:172], other, None, 200).params
    assert model.sweep(y, Fits(*numbers, (one, other), 4, 200)).params[1] == cold
    assert (
        model.sweep(y, Fits(*numbers, (other, other), 4, 200)).params[0] == model.fit(y[:168], other, None, 200).params
    )
    numbers[0] = np.array([168 - model.shortest + 1, 4])
    assert model.sweep(y, Fits(*numbers, (other, other), 4, 200)).params[1] == cold
