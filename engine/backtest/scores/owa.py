"""Naive2 and the overall weighted average of the M4 competition.

Makridakis et al. 2020, doi:10.1016/j.ijforecast.2019.04.014.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
CRITICAL = 1.645
"""Of the test on seasonality: 90 %."""


def owa(smape: float, mase: float, naive2_smape: float, naive2_mase: float) -> float:
    """Mean of the two ratios to Naive2: below 1 is better than Naive2."""
    return (smape / naive2_smape + mase / naive2_mase) / 2


def naive2(y: Floats, steps: int, season: int) -> Floats:
    """(steps,) last value, seasonally adjusted where the series is seasonal. y: (n,) positive, finite."""
    ahead = np.arange(len(y), len(y) + steps) % season
    if not is_seasonal(y, season):
        return np.full(steps, y[-1])
    index = seasonal_index(y, season)
    return np.asarray(y[-1] / index[(len(y) - 1) % season] * index[ahead])


def is_seasonal(y: Floats, season: int) -> bool:
    """Autocorrelation at the season beyond 90 % bounds that allow for the shorter lags; never under three seasons."""
    if season < 2 or len(y) < 3 * season:
        return False
    centred = y - y.mean()
    total = float(centred @ centred)
    if total == 0:
        return False
    acf = np.array([float(centred[lag:] @ centred[:-lag]) / total for lag in range(1, season + 1)])
    limit = CRITICAL * np.sqrt((1 + 2 * (acf[:-1] ** 2).sum()) / len(y))
    return bool(abs(acf[-1]) > limit)


def seasonal_index(y: Floats, season: int) -> Floats:
    """(season,) factor of each phase, mean 1, counted from the first value: classical multiplicative decomposition."""
    weights = np.ones(season) if season % 2 else np.array([0.5, *np.ones(season - 1), 0.5])
    trend = np.convolve(y, weights / season, mode="valid")
    lead = (len(weights) - 1) // 2
    ratio = y[lead : lead + len(trend)] / trend
    phase = np.arange(lead, lead + len(trend)) % season
    factors = np.array([ratio[phase == p].mean() for p in range(season)])
    return np.asarray(factors / factors.mean())
