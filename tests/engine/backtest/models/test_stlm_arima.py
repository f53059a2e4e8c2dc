"""STL with an ARIMA of what is left."""

from __future__ import annotations

import numpy as np
import pytest

from engine.backtest.models.arima import Arima, parse
from engine.backtest.models.stlm_arima import STLMArima
from kernels.stl import stl
from kernels.stl_sweep import looser
from tests.engine.backtest.models import promises
from tests.engine.backtest.models.agreement import daily


def test_forecasts_are_the_figure_plus_arimas() -> None:
    y = daily(198, seed=3)
    seasonal, _ = stl(y[:168], 24)
    arima, model = Arima("(1,1,1)"), STLMArima(order="(1,1,1)")
    figure = np.resize(seasonal[-24:], 60)
    at = np.array([0, 5, 30])
    rest = arima.predict(arima.fit(y[:168] - seasonal, "", None, 200).params, y[168:] - figure[:30], at, 24)
    ours = model.predict(promises.learned(model, y[:168]), y[168:], at, 24)
    for row, origin in enumerate(at):
        np.testing.assert_allclose(ours.mean[row], rest.mean[row] + figure[origin : origin + 24], rtol=1e-12)
    assert ours.low is not None and rest.low is not None
    wider = np.sqrt(looser(167, 2, 24))
    np.testing.assert_allclose(ours.mean - ours.low, wider * (rest.mean - rest.low), rtol=1e-9)


def test_error_is_flat_in_age() -> None:
    promises.error_is_flat_in_age(STLMArima(order="(1,1,1)"), range(6))


def test_the_search_sees_no_season() -> None:
    model = STLMArima(orders=5)
    form = model.select(daily(120), 200)
    assert model.selects and parse(form).season == 1
    assert model.fit(daily(120), form, None, 200).params["form"] == form
    with pytest.raises(ValueError, match="has no season"):
        STLMArima(order="(1,0,1)(0,1,1)[24]")
