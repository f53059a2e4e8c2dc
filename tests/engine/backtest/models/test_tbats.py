"""TBATS of given components, and of chosen ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.backtest.contract import FitError, Floats, Model
from engine.backtest.models.auto_tbats import AutoTbats, guerrero
from engine.backtest.models.tbats import (
    Components,
    Tbats,
    best,
    criterion,
    estimate,
    innovations_paths,
    parse,
    restore,
    transform,
    with_harmonics,
)
from tests.engine.backtest.models import promises
from tests.engine.backtest.models.agreement import daily

FIXED = [Tbats(harmonics=3), Tbats(24, 0.5, "linear", 2, 1, 1), Tbats(24, 0.0, "none", 1)]
MODELS: list[Model] = [*FIXED, Tbats(), AutoTbats()]


@pytest.mark.parametrize("form", ["", "TBATS(1,damped,3,0)", "TBATS(2,damped,3,0,0)", "TBATS(1,some,3,0,0)"])
def test_other_texts_are_refused(form: str) -> None:
    with pytest.raises(ValueError, match="are no components"):
        parse(form)


def test_parameters() -> None:
    assert Tbats().selects and not FIXED[0].selects
    found = parse(Tbats(p=1).select(daily(120), 200))
    assert found.harmonics >= 2 and found._replace(harmonics=0) == Components(1.0, "damped", 0, 1, 0)
    with pytest.raises(ValueError, match="at most 11 harmonics"):
        Tbats(harmonics=12)
    for wrong in ({"power": 2.0}, {"trend": "some"}, {"q": -1}):
        with pytest.raises(ValueError, match="power is"):
            Tbats(**wrong)  # type: ignore[arg-type]


def test_transformation_and_back() -> None:
    y = daily(50)
    for power in (0.0, 0.35, 1.0):
        np.testing.assert_allclose(restore(transform(y, power), power), y, rtol=1e-12)
    assert restore(np.array([-9.0]), 0.5).tolist() == [0.0]
    with pytest.raises(FitError, match="not positive"):
        transform(y - 80, 0.5)


def library(y: Floats, **options: Any) -> dict[str, Any]:
    """A fitted model of statsforecast's, its few parameters searched briefly."""
    from statsforecast.models import TBATS

    model = TBATS(24, **options)
    model.fit(y)
    fitted: dict[str, Any] = {**model.model_, "model": model}
    return fitted


@pytest.mark.parametrize("power", [False, True])
def test_filter_equals_a_fitted_model_of_the_librarys(power: bool) -> None:
    """At the cutoff its own forecast; later the forecast of the same matrices run over the longer series."""
    from statsforecast.tbats import calcTBATSFaster, tbats_forecast

    y, after = daily(120, seed=3)[:96], daily(120, seed=3)[96:]
    found = library(y, use_boxcox=power, use_trend=True, use_damped_trend=False, use_arma_errors=False)
    w, f, g, x = found["w_transpose"][0], found["F"], found["g"][:, 0], found["x"][-1]
    box_cox = float(found["BoxCox_lambda"]) if power else 1.0
    at = np.array([0, 5, 24])
    ours = innovations_paths(w, f, g, x, found["sigma2"], box_cox, after, at, 24)
    theirs = found["model"].predict(24, level=[80])
    np.testing.assert_allclose(ours.mean[0], theirs["mean"], rtol=1e-8)
    assert ours.low is not None and ours.high is not None
    np.testing.assert_allclose(ours.low[0], theirs["lo-80"], rtol=1e-8)
    np.testing.assert_allclose(ours.high[0], theirs["hi-80"], rtol=1e-8)
    for row, origin in enumerate(at):
        longer = transform(np.concatenate([y, after[:origin]]), box_cox)
        states = calcTBATSFaster(longer, found["w_transpose"], found["g"], f, found["seed_states"])[2]
        again = tbats_forecast({**found, "x": states}, 24)["mean"]
        np.testing.assert_allclose(ours.mean[row], restore(again, box_cox), rtol=1e-8)


def test_errors_are_no_larger_than_the_librarys() -> None:
    for seed in (3, 4):
        found = library(
            daily(96, seed=seed), use_boxcox=False, use_trend=True, use_damped_trend=True, use_arma_errors=False
        )
        parts = Components(1.0, "damped", int(found["k_vector"][0]), 0, 0)
        ours = estimate(daily(96, seed=seed), parts, 24, None, 400)
        assert ours.params["squares"] < float(np.sum(found["errors"] ** 2)) * 1.02


def test_error_is_flat_in_age() -> None:
    promises.error_is_flat_in_age(Tbats(), range(6))


def test_warm_starts_and_budgets() -> None:
    y = daily(169, seed=8)
    model = FIXED[0]
    anchor = model.fit(y[:168], "", None, 400)
    warm, cold = model.fit(y[1:], "", anchor.params, 60), model.fit(y[1:], "", None, 60)
    assert warm.evaluations <= 60 and cold.evaluations <= 60
    assert warm.params["squares"] <= cold.params["squares"] * 1.001
    other = promises.learned(FIXED[2], y[:168])
    assert model.fit(y[1:], "", other, 60) == cold  # parameters of other components start nothing


def test_the_search_finds_what_is_there() -> None:
    hours = np.arange(240)
    rng = np.random.default_rng(2)
    y = 50 + 6 * np.sin(2 * np.pi * hours / 24) + 3 * np.cos(6 * np.pi * hours / 24) + rng.normal(0, 0.5, 240)
    parts = parse(AutoTbats().select(y, 200))
    assert parts.harmonics >= 3 and parts.trend == "none"
    assert with_harmonics(y, parts, 24, 200).harmonics >= 3
    assert parse(AutoTbats().select(y - 100, 100)).power == 1.0
    grows = np.exp(0.01 * hours) * (5 + np.sin(2 * np.pi * hours / 24))
    assert guerrero(grows, 24) < 0.2


def test_repeating_and_short_slices() -> None:
    y = np.tile(70 + 5 * np.sin(2 * np.pi * np.arange(24) / 24), 4)
    params = promises.learned(FIXED[0], y)
    np.testing.assert_allclose(FIXED[0].predict(params, promises.NONE, promises.NOW, 24).mean[0], y[:24], atol=1e-3)
    parts = Components(1.0, "damped", 3, 0, 0)
    assert criterion(y[:15], parts, 24, 50) == np.inf
    with pytest.raises(FitError, match="no set"):
        best(y[:15], [parts], 24, 50)
    with pytest.raises(FitError, match="too few"):
        FIXED[0].fit(y[:15], "", None, 200)
    for model in MODELS:
        assert np.isfinite(promises.learned(model, daily(200)[: model.shortest])["sigma2"])
