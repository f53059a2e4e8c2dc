"""A search may difference no more often than an order can say."""

from __future__ import annotations

import numpy as np

from engine.backtest.models.arima import parse
from engine.backtest.models.arima_search import differences, search


def test_a_seasonal_series_whose_slope_wanders_has_two_differences_in_all() -> None:
    rng = np.random.default_rng(4)
    slope = np.cumsum(np.cumsum(rng.normal(0, 1, 72)))
    y = slope + 300 * np.sin(2 * np.pi * np.arange(72) / 24)
    assert differences(y[24:] - y[:-24]) == 2
    order = search(y, 24, 50, 20)
    assert (order.d, order.seasonal_d) == (1, 1)
    assert parse(order.form) == order
