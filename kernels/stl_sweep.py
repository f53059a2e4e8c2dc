"""Many fits of a series as STL's seasonal figure plus a smoothed rest, in rows that kernels.ets_sweep forecasts from.

A row is α, β, γ = 0, φ, the variance of errors, level, trend, and the figure of the last cycle, its first value for the
hour after the slice: with γ = 0 the figure stays as it was at the end of the slice and only goes on in phase.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from kernels.stl import SEASONAL, decompose, smoothers, trend_length, weights

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


@njit("UniTuple(f8, 2)(i8)", cache=True)
def tightness(cycles):  # type: ignore[no-untyped-def]
    """Of one phase's smoother over its cycles: parameters it takes off the degrees of freedom, 2 tr W − tr WWᵀ, and the
    variance of its last value in units of one cycle's."""
    table = weights(cycles, SEASONAL, 0)
    width = table.shape[1]
    taken, last = 0.0, 0.0
    for c in range(cycles):
        first = min(max(c - width // 2, 0), cycles - width)
        row = table[c - first + 1]
        last = np.sum(row * row)
        taken += 2.0 * row[c - first] - last
    return taken, last


@njit("f8(i8, i8, i8)", cache=True)
def looser(n, unknowns, season):  # type: ignore[no-untyped-def]
    """What the figure of n hours makes of the variance of forecast errors, against Σ e² / (n − unknowns): a factor.

    A local regression is a weighted mean, so its weights alone tell that residuals keep tr (I − L)(I − L)ᵀ degrees of
    freedom and that a prediction at x adds ‖l(x)‖² (Cleveland & Devlin 1988, 10.1080/01621459.1988.10478639). L is
    taken as the subseries' smoothers less their mean, one figure in `season`; the whole decomposition's takes the same
    within 5 %. The figure's error is added to each step in proportion: a forecast hour is to the figure as one cycle is
    to a weighted mean of others.
    """
    cycles, longer = n // season, n % season
    taken, last = tightness(cycles)
    if longer:
        more_taken, more_last = tightness(cycles + 1)
        taken += longer / season * (more_taken - taken)
        last += longer / season * (more_last - last)
    left = n - unknowns - (season - 1) * taken
    return max(n - unknowns, 1) / max(left, 1.0) * (1.0 + (season - 1) / season * last)


@njit("void(i8[::1], i8[::1], i8[::1], i8, i8, f8[:, ::1])", cache=True)
def loosen(start, end, unknowns, done, season, values):  # type: ignore[no-untyped-def]
    """The variances in rows `done` … of what was learned from slices less their figures, unknowns: (fits,)."""
    size, known, factor = 0, 0, 1.0
    for i in range(done, start.size):
        if end[i] - start[i] != size or unknowns[i] != known:
            size, known = end[i] - start[i], unknowns[i]
            factor = looser(size, known, season)
        values[i, 4] *= factor


@njit("void(f8[::1], i8[::1], i8[::1], i8, b1, f8[:, ::1], i8[::1])", cache=True)
def learn_walks(rest, start, end, done, drifts, values, failed):  # type: ignore[no-untyped-def]
    """Slices of `rest` as random walks, with the mean step of the slice where they drift (α = 1, the trend stays).

    values: (fits, SMOOTHED + season + 1), the last column the slice's hours. Rows before `done` and failed ones stay.
    """
    size, factor = 0, 1.0
    for i in range(done, start.size):
        if failed[i] != 0:
            continue
        n, x, row = end[i] - start[i], rest[start[i] : end[i]], values[i]
        drift = (x[n - 1] - x[0]) / (n - 1) if drifts else 0.0
        total = 0.0
        for t in range(1, n):
            total += (x[t] - x[t - 1] - drift) ** 2
        row[0], row[1], row[2], row[3] = 1.0, 0.0, 0.0, 1.0
        if n != size:
            size, factor = n, looser(n, 1 + drifts, values.shape[1] - SMOOTHED - 1)
        row[4] = total / (n - 1 - drifts) * factor
        row[5], row[6] = x[n - 1], drift
        row[row.size - 1] = n
        failed[i] = 0 if np.isfinite(row).all() else NOT_FINITE
