"""The stepwise search for an order."""

from __future__ import annotations

import numpy as np
import pytest

from engine.backtest.contract import FitError, Floats
from engine.backtest.models.arima import parse
from engine.backtest.models.arima_search import criterion, differences, search, strength
from tests.engine.backtest.models.agreement import daily


def shocks(n: int, seed: int) -> Floats:
    return np.random.default_rng(seed).normal(0, 1, n)


def test_differences_are_counted_as_the_library_does() -> None:
    from statsforecast.arima import ndiffs

    for seed in range(6):
        e = shocks(150, seed)
        for y in (e, np.cumsum(e), np.cumsum(np.cumsum(e)), daily(150, seed=seed)):
            assert differences(y) == ndiffs(y, max_d=2)
    assert differences(shocks(200, 1)) == 0


def test_strength_of_a_season() -> None:
    from statsforecast.arima import seas_heuristic

    assert strength(daily(168), 24) == pytest.approx(seas_heuristic(daily(168), 24), abs=0.02)
    assert strength(daily(168), 24) > 0.8
    assert strength(shocks(168, 2), 24) < 0.64
    assert strength(daily(40), 24) == 0.0


def test_what_made_a_series_is_found() -> None:
    e = shocks(400, 3)
    y = np.zeros(400)
    for t in range(2, 400):
        y[t] = 1.2 * y[t - 1] - 0.5 * y[t - 2] + e[t]
    found = search(y + 10, 1, 200, 94)
    assert found.d == 0 and found.constant and found.p >= 2
    assert criterion(y + 10, found, 200) <= criterion(y + 10, parse("(2,0,0)c"), 200)
    assert search(np.cumsum(y), 1, 200, 94).d == 1
    assert search(daily(168, noise=0.3), 24, 200, 94).seasonal_d == 1


def test_criterion_is_the_librarys_at_our_coefficients() -> None:
    from statsforecast.arima import Arima

    from engine.backtest.models.arima import estimate

    y, form = daily(100, seed=2), "(2,0,1)c"
    params = estimate(y, parse(form), None, 400).params
    fixed = np.array([*params["ar"], *params["ma"], params["mean"]])
    there = Arima(y, order=(2, 0, 1), method="CSS-ML", fixed=fixed)
    aicc = -2 * there["loglik"] + 2 * 5 + 2 * 5 * 6 / (100 - 5 - 1)
    assert criterion(y, parse(form), 400) == pytest.approx(aicc, abs=1e-3)


def test_bounds() -> None:
    y = daily(120, seed=1)
    assert search(y, 24, 200, 1)[:6:2] == (2, 2, 1)  # the first that is tried
    assert search(y, 24, 5, 94) == search(y, 24, 5, 94)
    assert criterion(y[:20], parse("(1,0,1)(0,1,1)[24]"), 200) == np.inf
    assert criterion(np.cumsum(np.ones(60)), parse("(1,0,0)"), 200) == np.inf
    with pytest.raises(FitError, match="no ARIMA order"):
        search(y, 24, 200, 0)
