"""Filtering and forecasts of an estimated ARIMA: innovations carried on from origin to origin (see `kernels.arima`)."""

from __future__ import annotations

import numpy as np
from numba import njit

from kernels.arima import factor


@njit("f8(f8[::1], f8[::1], i8, i8, f8[:,::1], f8[::1], i8)", cache=True)
def _expected(w, e, place, t, rows, phi, q):  # type: ignore[no-untyped-def]
    """ŵ at time t, which is w[place]: from what stands before it in w and e."""
    m = rows.shape[1]
    total = 0.0
    for lag in range(1, (t if t < m else q) + 1):
        total += rows[t, m - lag] * e[place - lag]
    if t >= m:
        for i in range(phi.size):
            total += phi[i] * w[place - 1 - i]
    return total


@njit("void(i8, f8[:,::1], f8[::1], f8[::1], i8, f8[::1], f8[::1])", cache=True)
def _spread(t, rows, v, phi, q, delta, out):  # type: ignore[no-untyped-def]
    """Variances of the errors 1 … steps ahead of time t into out: what each coming innovation does to each value."""
    m, steps = rows.shape[1], out.size
    ar = np.nonzero(phi)[0]
    back = np.nonzero(delta)[0]
    on_w, on_y = np.empty(steps), np.empty(steps)
    for h in range(steps):
        out[h] = 0.0
    for i in range(steps):
        for h in range(i, steps):
            lag, row = h - i, t + h
            total = 1.0 if lag == 0 else 0.0
            if 0 < lag <= (row if row < m else q):
                total += rows[row, m - lag]
            if row >= m:
                for a in ar:
                    if a + 1 <= lag:
                        total += phi[a] * on_w[h - a - 1]
            on_w[h] = total
            for b in back:
                if b + 1 <= lag:
                    total += delta[b] * on_y[h - b - 1]
            on_y[h] = total
            out[h] += total * total * v[t + i]


@njit("Tuple((f8[:,::1], f8[:,::1]))(f8[::1], i8, i8, f8[::1], f8[::1], f8[::1], f8[::1], f8, i8[::1], i8)", cache=True)
def forecast(y, known, n, u, delta, phi, theta, mean, at, steps):  # type: ignore[no-untyped-def]
    """Forecasts and their variances over that of an innovation, from each of some origins, in one pass.

    y: (known + k,): the last `known` observations of the training slice, oldest first, and the k after it. n: number of
    differences w in that slice; u: (min(n, m),) its last innovations. delta: (z,) y_t = w_t + Σ delta_i y_{t−i};
    known ≥ z + min(n, p). mean: of w. at: (o,) ascending in 0 … k. Both results (o, steps); the variances are exact for
    parameters that are known.
    """
    p, q, z, k = phi.size, theta.size, delta.size, y.size - known
    m = max(p, q)
    rows, v = factor(phi, theta, n + k + steps)
    past = min(n, m)
    w = np.zeros(past + k + steps)  # w[past + i] is at time n + i
    e = np.zeros(past + k + steps)
    for i in range(past):
        e[i] = u[i]
    for i in range(-min(past, known - z), k):
        total = y[known + i] - mean
        for j in range(z):
            total -= delta[j] * y[known + i - 1 - j]
        w[past + i] = total
    for i in range(k):
        e[past + i] = w[past + i] - _expected(w, e, past + i, n + i, rows, phi, q)
    mean_out, variance = np.empty((at.size, steps)), np.empty((at.size, steps))
    full, late_w, late_e = np.zeros(z + steps), np.zeros(w.size), np.zeros(w.size)
    for o in range(at.size):
        here = at[o]
        for i in range(past + here):
            late_w[i], late_e[i] = w[i], e[i]
        for i in range(z):
            full[i] = y[known + here - z + i]
        for j in range(steps):
            late_e[past + here + j] = 0.0
            late_w[past + here + j] = _expected(late_w, late_e, past + here + j, n + here + j, rows, phi, q)
            total = late_w[past + here + j] + mean
            for i in range(z):
                total += delta[i] * full[z + j - 1 - i]
            full[z + j] = total
            mean_out[o, j] = total
        _spread(n + here, rows, v, phi, q, delta, variance[o])
    return mean_out, variance
