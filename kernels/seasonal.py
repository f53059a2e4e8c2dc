"""Forecasts that repeat what was seen: the last season, the last value, the mean of the last values.

Shared layout of all fits of a series: fit i learned from y[start[i] : end[i]] and keeps row i of `values`; it forecasts
from at[first[i] : first[i + 1]], each an index into y at or after end[i], having seen y[: at]. A fit with `failed` ≠ 0
is left alone, and so are its rows. A forecast reads y only at or after the fit's end: before it, `values` remembers.
"""

from __future__ import annotations

import numpy as np
from numba import njit

Z90 = 1.2815515655446004
"""90 % quantile of the standard normal distribution."""


@njit("void(f8[::1], i8[::1], i8, f8[:, ::1], i8[::1])", cache=True)
def learn_last(y, end, done, values, failed):  # type: ignore[no-untyped-def]
    """Last values of each slice, oldest first, as many as `values` has columns; rows before `done` are left alone.

    y: (n,) float64 finite. values: (fits, size) float64, written.
    """
    size = values.shape[1]
    for i in range(done, end.size):
        if failed[i] == 0:
            for k in range(size):
                values[i, k] = y[end[i] - size + k]


@njit("void(f8[::1], i8[::1], i8[::1], i8, i8, f8[:, ::1], i8[::1])", cache=True)
def learn_seasonal(y, start, end, done, season, values, failed):  # type: ignore[no-untyped-def]
    """Last season of each slice, and the root mean square of its seasonal differences.

    y: (n,) float64 finite. values: (fits, season + 1) float64, written from row `done` on: the last `season` values,
    oldest first, then the spread in y's unit, NaN where the slice has no such difference. Slices are at least `season`
    long.
    """
    for i in range(done, start.size):
        if failed[i] != 0:
            continue
        for k in range(season):
            values[i, k] = y[end[i] - season + k]
        total = 0.0
        for t in range(start[i] + season, end[i]):
            total += (y[t] - y[t - season]) ** 2
        count = end[i] - start[i] - season
        values[i, season] = np.sqrt(total / count) if count > 0 else np.nan


@njit(
    "void(f8[:, ::1], f8[::1], i8[::1], i8[::1], i8[::1], i8, i8[::1], f8[:, ::1], f8[:, ::1], f8[:, ::1])", cache=True
)
def seasonal_paths(values, y, end, first, at, season, failed, mean, low, high):  # type: ignore[no-untyped-def]
    """Repeat the last season seen; the spread grows with the square root of the seasons ahead (Hyndman, fpp3 § 5.5).

    values as `learn_seasonal` wrote them. mean, low, high: (origins, steps) float64, written, y's unit; low and high
    are the 10 % and 90 % quantiles, NaN where the spread is.
    """
    steps = mean.shape[1]
    for i in range(end.size):
        if failed[i] != 0:
            continue
        for row in range(first[i], first[i + 1]):
            oldest = at[row] - season
            for j in range(steps):
                index = oldest + j % season
                seen = y[index] if index >= end[i] else values[i, index - end[i] + season]
                width = Z90 * values[i, season] * np.sqrt(1.0 + j // season)
                mean[row, j] = seen
                low[row, j] = seen - width
                high[row, j] = seen + width


@njit("void(f8[:, ::1], f8[::1], i8[::1], i8[::1], i8[::1], i8[::1], f8[:, ::1])", cache=True)
def average_paths(values, y, end, first, at, failed, mean):  # type: ignore[no-untyped-def]
    """Mean of the last values seen, at every step; as many as `values` has columns, oldest first.

    mean: (origins, steps) float64, written, y's unit.
    """
    size = values.shape[1]
    for i in range(end.size):
        if failed[i] != 0:
            continue
        for row in range(first[i], first[i + 1]):
            total = 0.0
            for index in range(at[row] - size, at[row]):
                total += y[index] if index >= end[i] else values[i, index - end[i] + size]
            mean[row, :] = total / size
