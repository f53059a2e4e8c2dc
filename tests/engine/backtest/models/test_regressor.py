"""Linear regressors on lags."""

from __future__ import annotations

import numpy as np
import pytest

from engine.backtest.contract import FitError, History, Model
from engine.backtest.models.regressor import Regressor
from tests.engine.backtest.models import promises
from tests.engine.backtest.models.agreement import daily

MODELS: list[Model] = [
    Regressor(),
    Regressor(block_h=6, lags=(1, 2, 24, 48)),
    Regressor(estimator="sklearn.linear_model.Lasso", settings={"alpha": 0.01}),
    Regressor(estimator="sklearn.linear_model.LinearRegression", lags=(1, 2), harmonics=0),
]


def test_recursive_forecast_by_hand() -> None:
    y = daily(80, seed=1)
    model = Regressor(estimator="sklearn.linear_model.LinearRegression", lags=(1, 3), harmonics=0)
    design = np.column_stack([y[2:-1], y[:-3], np.ones(77)])
    a, b, c = np.linalg.lstsq(design, y[3:], rcond=None)[0]
    path = y.tolist()
    for _ in range(10):
        path.append(a * path[-1] + b * path[-3] + c)
    ours = model.predict(promises.learned(model, y), promises.NONE, promises.NOW, 10)
    np.testing.assert_allclose(ours.mean[0], path[80:], rtol=1e-9)


def test_direct_forecast_by_hand() -> None:
    """A regression for each step; the second block takes the first for observed."""
    y = daily(90, seed=1)
    model = Regressor(estimator="sklearn.linear_model.LinearRegression", lags=(1, 2), harmonics=0, block_h=2)
    path = y.tolist()
    for block in range(2):
        for step in (1, 2):
            ends = np.arange(2, 90 - step + 1)
            design = np.column_stack([y[ends - 1], y[ends - 2], np.ones(ends.size)])
            a, b, c = np.linalg.lstsq(design, y[ends + step - 1], rcond=None)[0]
            base = 90 + 2 * block
            path.append(a * path[base - 1] + b * path[base - 2] + c)
    ours = model.predict(promises.learned(model, y), promises.NONE, promises.NOW, 4)
    np.testing.assert_allclose(ours.mean[0], path[90:], rtol=1e-9)


def test_harmonics_keep_their_phase() -> None:
    hours = np.arange(200)
    y = 60 + 5 * np.sin(2 * np.pi * hours / 24) + 2 * np.cos(4 * np.pi * hours / 24)
    y[:100] += np.random.default_rng(0).normal(0, 1e-3, 100)
    model = Regressor(estimator="sklearn.linear_model.LinearRegression", lags=(30,))
    ours = model.predict(promises.learned(model, y[:100]), y[100:150], np.array([0, 7, 50]), 24)
    for row, origin in enumerate((100, 107, 150)):
        np.testing.assert_allclose(ours.mean[row], y[origin : origin + 24], atol=0.02)


def test_error_is_flat_in_age() -> None:
    promises.error_is_flat_in_age(Regressor(), range(8))


@pytest.mark.parametrize(
    "estimator,settings",
    [
        ("sklearn.ensemble.GradientBoostingRegressor", {"n_estimators": 3}),
        ("sklearn.tree.DecisionTreeRegressor", {"max_depth": 2}),
        ("sklearn.neighbors.KNeighborsRegressor", {}),
    ],
)
def test_what_json_cannot_hold_is_refused(estimator: str, settings: dict[str, int]) -> None:
    with pytest.raises(FitError, match="never as a pickle"):
        Regressor(estimator=estimator, settings=settings).fit(daily(100), "", None, 200)


def test_parameters() -> None:
    assert Regressor(lags=[1, 2]).lags == (1, 2)  # type: ignore[arg-type]
    assert Regressor(lags=(1,), harmonics=0).history is History.SHORT
    assert Regressor(lags=(24,), harmonics=0).history is History.SEASONAL
    lasso = Regressor(estimator="sklearn.linear_model.Lasso", settings={"alpha": 1e-6})
    assert lasso.fit(daily(100), "", None, 3).evaluations <= 3
    for model in MODELS:
        assert np.isfinite(promises.learned(model, daily(100)[: model.shortest])["intercepts"]).all()
    with pytest.raises(ValueError, match="lags and block_h"):
        Regressor(lags=(0, 1))


def test_other_estimators_are_refused() -> None:
    with pytest.raises(FitError, match="no regressor"):
        Regressor(estimator="sklearn.preprocessing.StandardScaler").fit(daily(100), "", None, 200)
