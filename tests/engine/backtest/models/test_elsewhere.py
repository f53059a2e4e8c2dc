"""Every model that fits one slice at a time: what it learned is JSON, and enough."""

from __future__ import annotations

from engine.backtest.models.arima import Arima
from engine.backtest.models.auto_arima import AutoArima
from engine.backtest.models.auto_tbats import AutoTbats
from engine.backtest.models.ces import Ces
from engine.backtest.models.mfles import Mfles
from engine.backtest.models.regressor import Regressor
from engine.backtest.models.stlm_arima import STLMArima
from engine.backtest.models.tbats import Tbats
from tests.engine.backtest.models import promises

MODELS = [
    Arima(), Arima("(2,1,2)"), Arima("(2,0,1)(1,0,0)[24]c"), AutoArima(), STLMArima(), STLMArima(order="(2,0,0)c"),
    Tbats(), Tbats(24, 0.5, "linear", 2, 1, 1), AutoTbats(), *(Ces(type=kind) for kind in "NSPF"), Mfles(),
    Regressor(), Regressor(block_h=6, lags=(1, 2, 24, 48)),
]  # fmt: skip


def test_json_forecasts_equally_elsewhere() -> None:
    promises.json_forecasts_equally_elsewhere(MODELS)
