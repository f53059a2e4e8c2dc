"""Every model that fits one slice at a time keeps the contract."""

from __future__ import annotations

import pytest

from engine.backtest.contract import Model
from engine.backtest.models.arima import Arima
from engine.backtest.models.auto_arima import AutoArima
from engine.backtest.models.auto_tbats import AutoTbats
from engine.backtest.models.ces import Ces
from engine.backtest.models.mfles import Mfles
from engine.backtest.models.regressor import Regressor
from engine.backtest.models.stlm_arima import STLMArima
from engine.backtest.models.tbats import Tbats
from tests.engine.backtest.models import promises

WITH_QUANTILES: list[Model] = [
    *(Arima(order) for order in ("(1,0,1)(0,1,1)[24]", "(2,1,2)", "(2,0,1)(1,0,0)[24]c", "(0,1,1)c", "(0,1,0)")),
    AutoArima(), STLMArima(), STLMArima(order="(1,1,1)"), STLMArima(order="(2,0,0)c"),
    Tbats(), Tbats(harmonics=3), Tbats(24, 0.5, "linear", 2, 1, 1), Tbats(24, 0.0, "none", 1), AutoTbats(),
    Ces(), *(Ces(type=kind) for kind in "NSPF"),
]  # fmt: skip
WITHOUT: list[Model] = [
    Mfles(), Regressor(), Regressor(block_h=6, lags=(1, 2, 24, 48)),
    Regressor(estimator="sklearn.linear_model.Lasso", settings={"alpha": 0.01}),
    Regressor(estimator="sklearn.linear_model.LinearRegression", lags=(1, 2), harmonics=0),
]  # fmt: skip
MODELS = [*WITH_QUANTILES, *WITHOUT]


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_fits_are_deterministic(model: Model) -> None:
    promises.fits_are_deterministic(model)


@pytest.mark.parametrize("model", WITH_QUANTILES, ids=repr)
def test_rows_see_nothing_later_and_quantiles_are_ordered(model: Model) -> None:
    promises.quantiles_are_ordered(model, promises.rows_see_nothing_later(model))


@pytest.mark.parametrize("model", WITHOUT, ids=repr)
def test_rows_see_nothing_later(model: Model) -> None:
    promises.rows_see_nothing_later(model)


def test_json_forecasts_equally_elsewhere() -> None:
    promises.json_forecasts_equally_elsewhere(MODELS)
