"""Many exponential smoothing fits over one series, and all forecasts of each fit from one pass over its states.

A fit is a row of 5 + 2 + m numbers: α, β, γ, φ, the variance of errors, then the state at the end of its slice (level,
trend, m seasonal figures, the first for the next hour, their sum 0). A form is (period, trend, damped, classical),
period 1 without a season; a classical initial state is computed once, others are solved (seasonal forms only). m is the
longest period asked for, and figures that a form does not have stay 0.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from kernels.ets_fit import HIGH, LOW, descend

NORMAL_90 = 1.2815515655446004
"""90 % quantile of the normal distribution."""
NOT_FINITE = 2


@njit("void(f8[::1], i8[::1], f8[::1])", cache=True)
def begin(row, form, u):  # type: ignore[no-untyped-def]
    """Where the search begins: at the parameters of `row`, or, where they are NaN or of another form, at a slow level.

    Of starts on M4 hourly (AAA, h = 48) α = 0.05, γ/(1 − α) = 0.6 found the least Σ e² most often and had MASE 1.01
    (α 0.2, γ/(1 − α) 0.1: 1.35). A second one at α = β = 0.8 found a smaller Σ e² in half of all fits with windows of
    72 to 336 h, with β near α, and the MASE of 24 h rose from 1.04 to 1.79.
    """
    warm = (row[1] != 0) == (form[1] > 0) and (row[2] != 0) == (form[0] > 1) and (row[3] != 1) == (form[2] > 0)
    if warm and not np.isnan(row[0]):
        u[0] = min(max(row[0], LOW), HIGH)
        u[1] = min(max(row[1] / u[0], LOW), HIGH)
        u[2] = min(max(row[2] / (1 - u[0]), LOW), HIGH)
        u[3] = min(max(row[3], 0.8), 0.98)
    else:
        u[0], u[1], u[2], u[3] = 0.05, 0.01, 0.6, 0.95
    if not form[1]:
        u[1] = -1.0
    if form[0] == 1:
        u[2] = -1.0
    if not form[2]:
        u[3] = -1.0


@njit("i8(i8[::1])", cache=True)
def freedom(form):  # type: ignore[no-untyped-def]
    """Smoothing parameters and initial states of a form."""
    return 1 + form[0] + (form[0] > 1) + 2 * form[1] + form[2]


@njit("void(f8[::1], f8[::1])", cache=True)
def classical(y, start):  # type: ignore[no-untyped-def]
    """Initial level, trend and m seasonal figures: over the whole seasons that end y, the mean of each hour's distance
    from a line through the seasons' means; the first season's mean distance from these; no trend. y: 2m hours or more.

    On M4 hourly, windows 72/168/336: MASE 1.05/0.94/0.92. Tried the line's slope as the trend: 1.07/0.99/0.95. Tried
    no line: 0.93/0.90/0.92, but then the figures of the first and the last hour lie a day's drift apart, and the first
    step after a fit is worse (window 72: 0.56 against 0.46).
    """
    m = start.size - 2
    seasons = y.size // m
    off = y.size - seasons * m
    lean, square = 0.0, 0.0
    start[0], start[1], start[2:] = 0.0, 0.0, 0.0
    for r in range(seasons):
        away = r - 0.5 * (seasons - 1)
        square += away * away
        for i in range(m):
            lean += away * y[off + r * m + i] / m
            start[2 + (off + i) % m] += y[off + r * m + i] / seasons
    for i in range(m):
        start[2 + (off + i) % m] -= lean / square / m * (i - 0.5 * (m - 1))
    for i in range(m):
        start[0] += (y[i] - start[2 + i]) / m


@njit(
    "void(f8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[:, ::1], i8, i8, f8[:, ::1], i8[::1], i8[::1])",
    cache=True,
)
def learn_ets(y, start, end, anchor, form, forms, done, budget, values, failed, used):  # type: ignore[no-untyped-def]
    """Rows `done` … of values: fit i learns from y[start[i] : end[i]], finite, longer than its form has unknowns, as
    forms[form[i]], and begins at row anchor[i], an earlier one, unless that is −1 or failed. Rows that failed already
    (code other than 0) stay; code 2 where a number overflows. used: evaluations, ≤ budget."""
    nowhere, u, theta = np.full(values.shape[1], np.nan), np.empty(4), np.empty(4)
    for i in range(done, start.size):
        if failed[i]:
            continue
        a, kind, row = anchor[i], forms[form[i]], values[i]
        begin(values[a] if a >= 0 and not failed[a] else nowhere, kind, u)
        row[:] = 0.0
        state, first = row[5 : 7 + kind[0]], np.zeros(2 + kind[0])
        centred, middle = np.empty(end[i] - start[i]), 0.0
        for t in range(centred.size):
            middle += y[start[i] + t] / centred.size
        for t in range(centred.size):
            centred[t] = y[start[i] + t] - middle
        if kind[3]:
            classical(centred, first)
        total, used[i] = descend(centred, u, theta, first, state, not kind[3], budget)
        ground = 0.0
        for k in range(kind[0]):
            ground += state[2 + k] / kind[0]
        state[0] += middle + ground
        finite = np.isfinite(total) and np.isfinite(state[0]) and np.isfinite(state[1])
        for k in range(kind[0]):
            state[2 + k] -= ground
            finite = finite and np.isfinite(state[2 + k])
        row[:4] = theta
        row[4] = total / max(centred.size - freedom(kind), 1)
        if not finite:
            failed[i] = NOT_FINITE


@njit("void(f8[::1], i8, f8[::1])", cache=True)
def spread(row, m, out):  # type: ignore[no-untyped-def]
    """Standard deviation of the forecast 1 … out.size hours ahead (Hyndman et al. 2008, class 1)."""
    total, slope, power = 1.0, 0.0, 1.0
    for j in range(out.size):
        if j > 0:
            power *= row[3]
            slope += power
            weight = row[0] + row[1] * slope + (row[2] if j % m == 0 else 0.0)
            total += weight * weight
        out[j] = np.sqrt(row[4] * total)


@njit("void(f8[:, ::1], f8[::1], i8[::1], i8[::1], i8[::1], i8[::1], f8[:, ::1], f8[:, ::1], f8[:, ::1])", cache=True)
def ets_paths(values, y, end, first, at, failed, mean, low, high):  # type: ignore[no-untyped-def]
    """Rows first[i] … first[i + 1] − 1 of mean, low, high: (rows, steps) are what fit i forecasts from at[row].

    Its state holds at end[i]; errors up to at[row] move it on, its parameters stay. y is read from end[i] to the last
    of at. Rows of failed fits are left alone.
    """
    m = values.shape[1] - 7
    width = np.empty(mean.shape[1])
    for i in range(end.size):
        if failed[i]:
            continue
        alpha, beta, gamma, phi = values[i, 0], values[i, 1], values[i, 2], values[i, 3]
        level, trend, season = values[i, 5], values[i, 6], values[i, 7:].copy()
        t, k = end[i], 0
        spread(values[i], m, width)
        for row in range(first[i], first[i + 1]):
            while t < at[row]:
                slope = phi * trend
                error = y[t] - level - slope - season[k]
                level += slope + alpha * error
                trend = slope + beta * error
                season[k] += gamma * error
                t += 1
                k = k + 1 if k + 1 < m else 0
            ahead, slope, q = level, trend, k
            for j in range(width.size):
                slope *= phi
                ahead += slope
                mean[row, j] = ahead + season[q]
                low[row, j] = mean[row, j] - NORMAL_90 * width[j]
                high[row, j] = mean[row, j] + NORMAL_90 * width[j]
                q = q + 1 if q + 1 < m else 0
