"""Classical seasonal decomposition: is there a season, and what does it look like (Kendall & Stuart 1983)."""

from __future__ import annotations

import numpy as np
from numba import njit

from kernels.sums import gather

Z95 = 1.6448536269514722
"""95 % quantile of the standard normal distribution: the two-sided 90 % test of the M4 competition."""
NONE, ADDITIVE, MULTIPLICATIVE = 0, 1, 2


@njit("b1(f8[::1], i8)", cache=True)
def is_seasonal(y, season):  # type: ignore[no-untyped-def]
    """Whether the autocorrelation at lag `season` differs from 0 at 90 % (Assimakopoulos & Nikolopoulos 2000,
    10.1016/S0169-2070(00)00066-2). y: (n,) float64 finite; False where n < 2 seasons, season < 4, or y is constant.
    """
    n = y.size
    if season < 4 or n < 2 * season:
        return False
    centred, mean = np.zeros(n + season + 1), 0.0
    for t in range(n):
        mean += y[t]
    for t in range(n):
        centred[t] = y[t] - mean / n
    products = np.empty(season + 1)
    gather(centred, 1, season + 1, centred[:n], products)
    if products[0] <= 0.0:
        return False
    total = 0.0
    for lag in range(1, season):
        total += (products[lag] / products[0]) ** 2
    return abs(products[season] / products[0]) > Z95 * np.sqrt((1.0 + 2.0 * total) / n)


@njit("void(f8[::1], i8, b1, f8[::1])", cache=True)
def seasonal_figure(y, season, multiplicative, figure):  # type: ignore[no-untyped-def]
    """Mean of y over (or less) its centred moving average, by phase; its mean is 1 (or 0).

    y: (n,) float64 finite, at least 2 seasons. figure: (season,) float64, written: value k belongs to y[k],
    y[k + season], ….
    """
    n, half = y.size, season // 2
    trend, weights = np.empty(n - 2 * half), np.full(2 * half + 1, 1.0 / season)
    if season % 2 == 0:
        weights[0] = weights[season] = 0.5 / season
    gather(y, 1, trend.size, weights, trend)
    counts = np.zeros(season)
    for k in range(season):
        figure[k] = 0.0
    phase = half - 1
    for t in range(trend.size):
        phase = phase + 1 if phase + 1 < season else 0
        figure[phase] += y[t + half] / trend[t] if multiplicative else y[t + half] - trend[t]
        counts[phase] += 1.0
    mean = 0.0
    for k in range(season):
        figure[k] /= counts[k]
        mean += figure[k] / season
    for k in range(season):
        figure[k] = figure[k] / mean if multiplicative else figure[k] - mean


@njit("f8(f8[::1])", cache=True)
def least(x):  # type: ignore[no-untyped-def]
    """Least value of x."""
    low = np.inf
    for value in x:
        low = min(low, value)
    return low


@njit("i8(f8[::1], i8, f8[::1], f8[::1])", cache=True)
def adjust(y, season, figure, adjusted):  # type: ignore[no-untyped-def]
    """Take the season out where the test finds one: NONE, ADDITIVE or MULTIPLICATIVE.

    Multiplicative where all of y is above 0 and all of the figure at least 0.01. figure: (season,) float64, written,
    value k belongs to y[k]; 0 where there is none. adjusted: (n,) float64, written.
    """
    n = y.size
    if not is_seasonal(y, season):
        for k in range(season):
            figure[k] = 0.0
        for t in range(n):
            adjusted[t] = y[t]
        return NONE
    if least(y) > 0.0:
        seasonal_figure(y, season, True, figure)
        if least(figure) >= 0.01:
            for begin in range(0, n, season):
                for k in range(min(season, n - begin)):
                    adjusted[begin + k] = y[begin + k] / figure[k]
            return MULTIPLICATIVE
    seasonal_figure(y, season, False, figure)
    for begin in range(0, n, season):
        for k in range(min(season, n - begin)):
            adjusted[begin + k] = y[begin + k] - figure[k]
    return ADDITIVE
