"""Additive exponential smoothing as a linear filter, with the initial states that fit best solved, not searched.

State: level, trend, and m seasonal figures, the first for the next hour. An hour, e = y − level − φ·trend − season:
level += φ·trend + α·e, trend = φ·trend + β·e, season += γ·e. Forms without a season have m = 1 and γ = 0. Errors are
linear in the initial state, and by time invariance the column of the j-th seasonal figure is that of the first, j hours
later: one impulse response gives them all, and their Gram matrix follows from its last column. The initial level is
left to the seasonal figures (what is added to all of them and taken from the level changes no error).
Source: Hyndman, Koehler, Ord & Snyder 2008, 10.1007/978-3-540-71918-2.
"""

from __future__ import annotations

import numpy as np
from numba import njit

LOST = 1e-11
"""A column that the others explain but for this share of its square is left out: its state starts at 0."""


@njit("f8(f8[::1], f8[::1], f8[::1])", cache=True)
def run(y, theta, state):  # type: ignore[no-untyped-def]
    """Filter y: (n,) from `state`: (2 + m,), which it leaves at the end of y. theta: α, β, γ, φ. Returns Σ e²."""
    alpha, beta, gamma, phi = theta[0], theta[1], theta[2], theta[3]
    m = state.size - 2
    level, trend, total, k = state[0], state[1], 0.0, 0
    for t in range(y.size):
        slope = phi * trend
        error = y[t] - level - slope - state[2 + k]
        level += slope + alpha * error
        trend = slope + beta * error
        state[2 + k] += gamma * error
        total += error * error
        k = k + 1 if k + 1 < m else 0
    state[0], state[1] = level, trend
    if k:
        turned = state.copy()
        for j in range(m):
            state[2 + j] = turned[2 + (j + k) % m]
    return total


@njit("void(f8[::1], f8[::1], f8[:, ::1], f8[:, ::1])", cache=True)
def respond(y, theta, errors, seasons):  # type: ignore[no-untyped-def]
    """Errors, rows of `errors`: (3, n + m), of a first seasonal figure of 1, of a trend of 1 (y = 0 for both), and of y
    (all states 0). seasons: (3, m) scratch."""
    alpha, beta, gamma, phi = theta[0], theta[1], theta[2], theta[3]
    m = seasons.shape[1]
    seasons[:] = 0.0
    seasons[0, 0] = 1.0
    l0, l1, l2, b0, b1, b2, k = 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0
    for t in range(y.size):
        b0, b1, b2 = phi * b0, phi * b1, phi * b2
        l0, l1, l2 = l0 + b0, l1 + b1, l2 + b2
        e0, e1, e2 = -l0 - seasons[0, k], -l1 - seasons[1, k], y[t] - l2 - seasons[2, k]
        l0, l1, l2 = l0 + alpha * e0, l1 + alpha * e1, l2 + alpha * e2
        b0, b1, b2 = b0 + beta * e0, b1 + beta * e1, b2 + beta * e2
        seasons[0, k] += gamma * e0
        seasons[1, k] += gamma * e1
        seasons[2, k] += gamma * e2
        errors[0, t], errors[1, t], errors[2, t] = e0, e1, e2
        k = k + 1 if k + 1 < m else 0


@njit("void(f8[::1], f8[::1], i8, f8[::1])", cache=True)
def correlate(impulse, x, n, out):  # type: ignore[no-untyped-def]
    """out[j] = Σ impulse[u]·x[u + j], u < n. x has out.size zeros behind its values."""
    out[:] = 0.0
    m = out.size
    for u in range(n):
        weight = impulse[u]
        window = x[u : u + m]
        for j in range(m):
            out[j] += weight * window[j]


@njit("void(f8[:, ::1], i8, i8, f8[:, ::1], f8[::1])", cache=True)
def gram(errors, n, m, matrix, row):  # type: ignore[no-untyped-def]
    """Upper triangle of RᵀR, R the columns of the m seasonal figures and, where matrix is larger, of the trend.

    row: (m,) scratch."""
    impulse = errors[0]
    correlate(impulse, impulse, n - m + 1, row)
    for i in range(m):
        matrix[i, m - 1] = row[m - 1 - i]
    for i in range(m - 2, -1, -1):
        for j in range(m - 2, i - 1, -1):
            matrix[i, j] = matrix[i + 1, j + 1] + impulse[n - 1 - i] * impulse[n - 1 - j]
    if matrix.shape[0] > m:
        correlate(impulse, errors[1], n, row)
        square = 0.0
        for t in range(n):
            square += errors[1, t] * errors[1, t]
        for i in range(m):
            matrix[i, m] = row[i]
        matrix[m, m] = square


@njit("void(f8[:, ::1])", cache=True)
def factor(matrix):  # type: ignore[no-untyped-def]
    """The upper Cholesky factor in place; the row of a lost column becomes 0, with infinity on the diagonal."""
    k = matrix.shape[0]
    for j in range(k):
        square = matrix[j, j]
        whole = square
        for i in range(j):
            whole += matrix[i, j] * matrix[i, j]
        if square <= LOST * whole:
            matrix[j, j:] = 0.0
            matrix[j, j] = np.inf
            continue
        root = np.sqrt(square)
        for i in range(j, k):
            matrix[j, i] /= root
        for i in range(j + 1, k):
            weight = matrix[j, i]
            for x in range(i, k):
                matrix[i, x] -= weight * matrix[j, x]


@njit("void(f8[:, ::1], f8[::1])", cache=True)
def forward(upper, x):  # type: ignore[no-untyped-def]
    """x becomes U⁻ᵀx."""
    for j in range(x.size):
        x[j] /= upper[j, j]
        for i in range(j + 1, x.size):
            x[i] -= upper[j, i] * x[j]


@njit("void(f8[:, ::1], f8[::1])", cache=True)
def backward(upper, x):  # type: ignore[no-untyped-def]
    """x becomes U⁻¹x."""
    for j in range(x.size - 1, -1, -1):
        rest = x[j]
        for i in range(j + 1, x.size):
            rest -= upper[j, i] * x[i]
        x[j] = rest / upper[j, j]


@njit("void(f8[:, ::1], i8, f8[::1], f8[::1])", cache=True)
def onto(errors, n, x, out):  # type: ignore[no-untyped-def]
    """out = Rᵀx, one for each column of R; x: (n + m,), m zeros behind."""
    m = errors.shape[1] - n
    correlate(errors[0], x, n, out[:m])
    if out.size > m:
        total = 0.0
        for t in range(n):
            total += errors[1, t] * x[t]
        out[m] = total


@njit("f8(f8[::1], f8[::1], f8[:, ::1], f8[:, ::1], f8[:, ::1], f8[::1], f8[::1])", cache=True)
def solve(y, theta, errors, seasons, upper, start, state):  # type: ignore[no-untyped-def]
    """Least Σ e² over initial states, which become `start`: (2 + m,); `state` is what they lead to at the end of y.

    errors: (3, n + m) with zeros in the last m columns, seasons: (3, m), upper: (m or m + 1,) squared are scratch that
    derivatives need; upper is larger by one where the form has a trend. An empty upper solves nothing: start stays."""
    n, m, k = y.size, seasons.shape[1], upper.shape[0]
    if k == 0:
        state[:] = start
        return run(y, theta, state)
    respond(y, theta, errors, seasons)
    gram(errors, n, m, upper, seasons[0])
    factor(upper)
    x = np.empty(k)
    onto(errors, n, errors[2], x)
    forward(upper, x)
    backward(upper, x)
    start[:] = 0.0
    for i in range(m):
        start[2 + i] = -x[i]
    if k > m:
        start[1] = -x[m]
    state[:] = start
    return run(y, theta, state)
