"""Local linear regression with tricube weights, and its value at the newest of the last points: a smoother that waits
for nothing.

Cleveland 1979, Journal of the American Statistical Association 74:368 (LOWESS).
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit("f8(f8[::1], f8[::1], f8[::1], i8, i8, i8)", cache=True)
def _local(x, y, trust, first, end, i):  # type: ignore[no-untyped-def]
    """The line through points first … end − 1, at point i; y[i] itself where fewer than two of them weigh anything."""
    reach = max(x[i] - x[first], x[end - 1] - x[i])
    total, count, centre, square, value, slope = 0.0, 0, 0.0, 0.0, 0.0, 0.0
    weight = np.empty(end - first)
    for j in range(first, end):
        ratio = abs(x[j] - x[i]) / reach
        weight[j - first] = trust[j] * (1.0 - ratio * ratio * ratio) ** 3
        total += weight[j - first]
        count += weight[j - first] > 0.0
    if count < 2:
        return y[i]
    for j in range(first, end):
        centre += weight[j - first] / total * (x[j] - x[i])
    for j in range(first, end):
        away = x[j] - x[i] - centre
        square += weight[j - first] / total * away * away
    for j in range(first, end):
        share, away = weight[j - first] / total, x[j] - x[i] - centre
        value += share * y[j]
        slope += share * away / square * y[j]
    return value - centre * slope


@njit("void(f8[::1], f8[::1], f8[::1])", cache=True)
def _reweigh(y, fitted, trust):  # type: ignore[no-untyped-def]
    """Bisquare weights of the residuals over six times their median, into `trust`."""
    residual = np.abs(y - fitted)
    scale = 6.0 * np.median(residual)
    for i in range(y.size):
        ratio = 1.0 if residual[i] > 0.0 else 0.0
        if scale > 0.0:
            ratio = min(residual[i] / scale, 1.0)
        trust[i] = (1.0 - ratio * ratio) ** 2


@njit("f8[::1](f8[::1], f8[::1], i8, i8)", cache=True)
def lowess(x, y, neighbours, iterations):  # type: ignore[no-untyped-def]
    """The smoothed y, (n,) float64, in y's unit.

    x: (n,) float64, ascending, no two equal; y: (n,) float64, finite; neighbours: how many points each line is drawn
    through, 3 … n; iterations: how often points far from their line lose weight, from 0.
    """
    n = x.size
    fitted, trust = np.empty(n), np.ones(n)
    for repeat in range(iterations + 1):
        first = 0
        for i in range(n):
            while first + neighbours < n and x[i] - x[first] > x[first + neighbours] - x[i]:
                first += 1
            fitted[i] = _local(x, y, trust, first, first + neighbours, i)
        if repeat < iterations:
            _reweigh(y, fitted, trust)
    return fitted


@njit("f8[::1](f8[::1], f8[::1], i8[::1], i8, i8, i8)", cache=True)
def newest(x, y, person, look_back, neighbours, iterations):  # type: ignore[no-untyped-def]
    """`lowess` of each person's last `look_back` present points, at the newest of them. Nothing later is read.

    x, y: (n,) float64, NaN of y = missing; person: (n,) int64, equal numbers lie together, x ascending in each. Returns
    (n,) float64, NaN where y is missing or there are not yet `look_back` points.
    """
    out = np.full(y.size, np.nan)
    held_x, held_y = np.empty(look_back), np.empty(look_back)
    size = 0
    for i in range(y.size):
        if i > 0 and person[i] != person[i - 1]:
            size = 0
        if np.isnan(y[i]):
            continue
        if size == look_back:
            for k in range(look_back - 1):
                held_x[k], held_y[k] = held_x[k + 1], held_y[k + 1]
            size -= 1
        held_x[size], held_y[size] = x[i], y[i]
        size += 1
        if size == look_back:
            out[i] = lowess(held_x, held_y, neighbours, iterations)[look_back - 1]
    return out
