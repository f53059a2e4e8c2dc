"""The exponential smoothing family: the contract, and what the library gets wrong (BACKTEST §4, faults 1 and 9)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.backtest.contract import COLD, Fits, Floats, History, Sweeping
from engine.backtest.models.auto_ets import AutoETS
from engine.backtest.models.ets import ETS, FORMS
from engine.backtest.models.holt_winters import HoltWinters
from tests.engine.backtest.models import agreement
from tests.naive import ets as naive

MODELS = [ETS(), ETS("AAdA"), ETS("AAdN"), AutoETS(), AutoETS(tuple(FORMS)), HoltWinters(), HoltWinters(damped=True)]
SEASONAL = [model for model in MODELS if model.history is History.SEASONAL]


def first_step_errors(model: Sweeping, y: Floats, refit: int) -> Floats:
    """Absolute errors one hour ahead at every origin of ten days, window 168, by age: (days, 24) float64."""
    origins = np.arange(336, 336 + 240)
    cuts = origins[::refit].copy()
    first = refit * np.arange(cuts.size + 1)
    cold = np.full(cuts.size, COLD)
    fits = Fits(cuts - 168, cuts, first, origins, cold, cold, ("",) * cuts.size, 1, 200)
    return np.abs(y[origins] - model.sweep(y, fits).paths.mean[:, 0]).reshape(-1, 24)


@pytest.mark.parametrize("model", SEASONAL, ids=repr)
def test_daily_fits_carried_on_are_as_good_as_hourly_ones_at_every_age(model: Sweeping) -> None:
    """Fault 1: the library replays the first seasonal state on the shifted window, and errs fourfold at 12 h."""
    daily, hourly = np.zeros(24), np.zeros(24)
    for seed in range(8):
        y = agreement.daily(600, seed)
        daily += first_step_errors(model, y, 24).mean(axis=0)
        hourly += first_step_errors(model, y, 1).mean(axis=0)
    assert daily.mean() < 1.05 * hourly.mean()
    for quarter in range(4):
        ages = slice(6 * quarter, 6 * quarter + 6)
        assert daily[ages].mean() < 1.05 * hourly[ages].mean()


@pytest.mark.parametrize("model", SEASONAL, ids=repr)
def test_the_error_is_flat_in_age(model: Sweeping) -> None:
    errors = agreement.errors_by_age(model, range(6), 168)
    assert errors[12:].mean() < 1.05 * errors[:12].mean()


def test_one_pass_over_the_states_equals_filtering_anew_for_each_origin() -> None:
    y = agreement.daily(300, seed=8)
    model = ETS("AAdA")
    params = model.fit(y[:168], "", None, 200).params
    paths = model.predict(params, y[168:240], np.array([0, 7, 72]), 30)
    theta = np.array([params[name] for name in ("alpha", "beta", "gamma", "phi")])
    state = np.array([params["level"], params["trend"], *params["season"]])
    for row, at in enumerate((0, 7, 72)):
        last = naive.run(y[168 : 168 + at], theta, state)[1]
        np.testing.assert_allclose(paths.mean[row], naive.forecast(theta, last, 1.0, 30)[0], rtol=1e-10)


def test_quantiles_cover_four_of_five_hours() -> None:
    inside = []
    for seed in range(10):
        y = agreement.daily(600, seed)
        fits = agreement.rolling(y, (168,), range(336, 560, 8))
        paths = ETS("ANA").sweep(y, fits).paths
        assert paths.low is not None and paths.high is not None
        ahead = fits.at[:, None] + np.arange(24)
        known = ahead < y.size
        actual = y[np.minimum(ahead, y.size - 1)]
        inside.append(((paths.low <= actual) & (actual <= paths.high))[known].mean())
    assert 0.7 < np.mean(inside) < 0.9


def chosen(y: Floats, **changes: tuple[str, ...]) -> str:
    return replace(AutoETS(), **changes).select(y, 200)


def test_the_form_follows_the_series() -> None:
    rng = np.random.default_rng(9)
    noise = rng.normal(size=240)
    assert chosen(50 + noise) == "ANN"
    assert chosen(50 + np.cumsum(noise)) == "ANN"
    assert chosen(agreement.daily(240, seed=9)) == "ANA"
    climb = np.cumsum(np.cumsum(0.05 * noise))
    assert chosen(climb + 0.1 * rng.normal(size=240)).startswith("AA")
    assert chosen(agreement.daily(240, seed=9), forms=("AAdN", "ANN")) in ("AAdN", "ANN")


def test_the_corrected_criterion_wants_more_for_a_season() -> None:
    y = agreement.daily(72, seed=9, swing=3.0)
    assert (AutoETS().select(y, 200), AutoETS(criterion="aicc").select(y, 200)) == ("ANA", "ANN")


def test_the_form_rules_the_fits_of_its_day() -> None:
    y = agreement.daily(400, seed=10)
    swept = AutoETS().sweep(y, agreement.rolling(y, (168,), range(336, 364)))
    days = [set(swept.form[:24]), set(swept.form[24:])]
    assert [len(day) for day in days] == [1, 1] and days[0] | days[1] <= set(FORMS)


@pytest.mark.parametrize("wrong", [{"form": "MAM"}, {"season_h": 1}])
def test_ets_refuses_what_it_does_not_have(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"no form|a season has"):
        ETS(**wrong)  # type: ignore[arg-type]


def test_auto_ets_refuses_no_forms_and_multiplicative_ones() -> None:
    for forms in ((), ("ANA", "MAM")):
        with pytest.raises(ValueError, match="no form"):
            AutoETS(forms)
    with pytest.raises(ValueError, match="no criterion"):
        AutoETS(criterion="bic")
    for model in (AutoETS, HoltWinters):
        with pytest.raises(ValueError, match="a season has"):
            model(season_h=1)
