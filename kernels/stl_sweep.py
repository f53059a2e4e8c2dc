"""Many fits of a series as STL's seasonal figure plus a smoothed rest, in rows that kernels.ets_sweep forecasts from.

A row is α, β, γ = 0, φ, the variance of errors, level, trend, and the figure of the last cycle, its first value for the
hour after the slice: with γ = 0 the figure stays as it was at the end of the slice and only goes on in phase.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from kernels.stl import decompose, smoothers, trend_length

SMOOTHED, NOT_FINITE = 7, 2
"""Numbers of a row before the figure; code of a failed fit."""


@njit("b1(i8, i8, i8)", cache=True)
def same_weights(n, other, season):  # type: ignore[no-untyped-def]
    """Whether the smoothers of n and of `other` points are sure to be equal."""
    return n == other or (min(n, other) >= trend_length(season) and max(n, other) <= 100 * season)


@njit("void(f8[::1], i8[::1], i8[::1], i8, i8, f8[:, ::1], f8[::1], i8[::1])", cache=True)
def adjust_slices(y, start, end, done, season, values, rest, failed):  # type: ignore[no-untyped-def]
    """Slices from row `done` on less their seasonal components, one after another in `rest`, in y's unit.

    The figure of each slice's last cycle goes into its row of `values`, (fits, SMOOTHED + season or more), from
    SMOOTHED on. Failed fits have a rest of zeros; code 2 where a number overflows.
    """
    size, begin = 0, 0
    low_pass, local = np.empty((0, 0)), np.empty((0, 0))
    for i in range(done, start.size):
        n = end[i] - start[i]
        here = rest[begin : begin + n]
        begin += n
        here[:] = 0.0
        if failed[i] != 0:
            continue
        if not same_weights(n, size, season):
            low_pass, local = smoothers(n, season)
            size = n
        seasonal, trend, whole = np.empty(n), np.empty(n), y[start[i] : end[i]]
        decompose(whole, season, low_pass, local, seasonal, trend)
        for t in range(n):
            here[t] = whole[t] - seasonal[t]
        values[i, SMOOTHED : SMOOTHED + season] = seasonal[n - season :]
        failed[i] = 0 if np.isfinite(seasonal).all() else NOT_FINITE


@njit("void(f8[::1], i8[::1], i8[::1], i8, b1, f8[:, ::1], i8[::1])", cache=True)
def learn_walks(rest, start, end, done, drifts, values, failed):  # type: ignore[no-untyped-def]
    """Slices of `rest` as random walks, with the mean step of the slice where they drift (α = 1, the trend stays).

    values: (fits, SMOOTHED + season + 1), the last column the slice's hours. Rows before `done` and failed ones stay.
    """
    for i in range(done, start.size):
        if failed[i] != 0:
            continue
        n, x, row = end[i] - start[i], rest[start[i] : end[i]], values[i]
        drift = (x[n - 1] - x[0]) / (n - 1) if drifts else 0.0
        total = 0.0
        for t in range(1, n):
            total += (x[t] - x[t - 1] - drift) ** 2
        row[0], row[1], row[2], row[3] = 1.0, 0.0, 0.0, 1.0
        row[4], row[5], row[6] = total / (n - 2 if drifts else n - 1), x[n - 1], drift
        row[row.size - 1] = n
        failed[i] = 0 if np.isfinite(row).all() else NOT_FINITE
