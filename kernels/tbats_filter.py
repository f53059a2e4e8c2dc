"""Linear innovations models, y_t = w·x_{t−1} + e_t and x_t = F x_{t−1} + g e_t: filtering, forecasts, and TBATS's fit.

TBATS of De Livera, Hyndman and Snyder (2011, doi:10.1198/jasa.2011.tm09771) without its transformation. For given
smoothing parameters the errors are linear in the first state, which is solved by least squares, not searched for.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from kernels.arima import from_partials

STABLE = 10.0  # most that 256 steps may make of an old error: a root of 1.009
REJECTED = 1e300


@njit("f8(f8[::1], f8[:,::1], f8[::1], f8[::1])", cache=True)
def _move(w, f, x, room):  # type: ignore[no-untyped-def]
    """x becomes f x, both (s,); returns w·x as it was. room: (s,)."""
    seen = 0.0
    for i in range(x.size):
        seen += w[i] * x[i]
        room[i] = 0.0
        for j in range(x.size):
            room[i] += f[i, j] * x[j]
    for i in range(x.size):
        x[i] = room[i]
    return seen


@njit("Tuple((f8[:,::1], f8[::1]))(f8[::1], f8[::1], f8[:,::1], f8[::1], f8[::1], i8[::1], i8)", cache=True)
def linear_forecast(y, w, f, g, x, at, steps):  # type: ignore[no-untyped-def]
    """Forecasts from each of some origins in one pass, and what the error's variance is multiplied by at each step.

    y: (k,) what came after state x: (s,). w, g: (s,), f: (s, s). at: (o,) ascending in 0 … k: row i sees y[: at[i]].
    Returns (o, steps) and (steps,).
    """
    s = x.size
    state, ahead, moved = x.copy(), x.copy(), x.copy()
    mean = np.empty((at.size, steps))
    seen = 0
    for o in range(at.size):
        while seen < at[o]:
            error = y[seen] - _move(w, f, state, moved)
            for i in range(s):
                state[i] += g[i] * error
            seen += 1
        for i in range(s):
            ahead[i] = state[i]
        for j in range(steps):
            mean[o, j] = _move(w, f, ahead, moved)
    variance = np.ones(steps)
    for i in range(s):
        ahead[i] = g[i]
    for j in range(1, steps):
        variance[j] = variance[j - 1] + _move(w, f, ahead, moved) ** 2
    return mean, variance


@njit("Tuple((f8[::1], f8[:,::1], f8[::1]))(f8[::1], i8[::1], i8)", cache=True)
def tbats_matrices(free, shape, season):  # type: ignore[no-untyped-def]
    """w, F and g of TBATS.

    shape: (5,) trend 0 or 1, damped 0 or 1, harmonics, p, q. free: alpha, beta where there is a trend, phi where it is
    damped, gamma 1 and 2 where there are harmonics, then p and q free numbers (`from_partials`). State: level, slope,
    harmonics, their conjugates, p ARMA errors, q innovations.
    """
    trend, damped, k, p, q = shape[0], shape[1], shape[2], shape[3], shape[4]
    first = 1 + trend
    tau = first + 2 * k
    s = tau + p + q
    w, f, g = np.zeros(s), np.zeros((s, s)), np.zeros(s)
    phi = free[2] if damped else 1.0
    w[0], f[0, 0], g[0] = 1.0, 1.0, free[0]
    if trend:
        w[1], f[0, 1], f[1, 1], g[1] = phi, phi, phi, free[1]
    at = 1 + trend + damped
    for j in range(k):
        w[first + j], g[first + j], g[first + k + j] = 1.0, free[at], free[at + 1]
        angle = 2.0 * np.pi * (j + 1) / season
        f[first + j, first + j] = f[first + k + j, first + k + j] = np.cos(angle)
        f[first + j, first + k + j] = np.sin(angle)
        f[first + k + j, first + j] = -np.sin(angle)
    at += 2 * (k > 0)
    ar, ma = from_partials(free[at : at + p]), from_partials(free[at + p :])
    for j in range(p + q):
        w[tau + j] = ar[j] if j < p else -ma[j - p]
        for i in range(tau):
            f[i, tau + j] = g[i] * w[tau + j]
        if p:
            f[tau, tau + j] = w[tau + j]
        g[tau + j] = 1.0 if j in (0, p) else 0.0
    for i in range(1, p):
        f[tau + i, tau + i - 1] = 1.0
    for i in range(1, q):
        f[tau + p + i, tau + p + i - 1] = 1.0
    return w, f, g


@njit("b1(f8[::1], f8[:,::1], f8[::1])", cache=True)
def _stable(w, f, g):  # type: ignore[no-untyped-def]
    """Whether errors that D = F − g w' carries on do not grow: its 256th power is small, whatever its eigenvectors."""
    s = w.size
    power, square = np.empty((s, s)), np.empty((s, s))
    for i in range(s):
        for j in range(s):
            power[i, j] = f[i, j] - g[i] * w[j]
    for _ in range(8):
        for i in range(s):
            for c in range(s):
                square[i, c] = 0.0
            for j in range(s):
                if power[i, j] != 0.0:
                    for c in range(s):
                        square[i, c] += power[i, j] * power[j, c]
        power, square = square, power
        for i in range(s):
            for j in range(s):
                if not abs(power[i, j]) < STABLE:
                    return False
    return True


@njit("f8(f8[:,::1], f8[::1], i8)", cache=True)
def _solve(a, b, s):  # type: ignore[no-untyped-def]
    """b' a⁻¹ b of a symmetric a: (s, s), its diagonal raised a little; b: (s,) becomes a⁻¹ b. a is overwritten."""
    raised = 0.0
    for i in range(s):
        raised = max(raised, a[i, i])
    right = b[:s].copy()
    for i in range(s):
        a[i, i] += 1e-10 * a[i, i] + 1e-14 * raised
        for j in range(i + 1):
            total = a[i, j]
            for c in range(j):
                total -= a[i, c] * a[j, c]
            a[i, j] = np.sqrt(max(total, 1e-300)) if i == j else total / a[j, j]
        for j in range(i):
            b[i] -= a[i, j] * b[j]
        b[i] /= a[i, i]
    for i in range(s - 1, -1, -1):
        for j in range(i + 1, s):
            b[i] -= a[j, i] * b[j]
        b[i] /= a[i, i]
    return np.sum(right * b[:s])


@njit("f8(f8[::1], f8[::1], i8[::1], i8, f8[::1])", cache=True)
def tbats_squares(y, free, shape, season, x):  # type: ignore[no-untyped-def]
    """Sum of the squared errors on y: (n,) from the best first state, which is written to x: (s,), ARMA part 0.

    REJECTED where `free` is out of bounds: alpha below 0, phi outside 0.8 … 1, or errors that grow.
    """
    if free[0] < 0.0 or (shape[1] and not 0.8 <= free[2] <= 1.0):
        return REJECTED
    w, f, g = tbats_matrices(free, shape, season)
    s = w.size
    solved = s - shape[3] - shape[4]
    if not _stable(w, f, g):
        return REJECTED
    rows, columns = np.nonzero(f)
    state, moved, row, turned = np.zeros(s), np.zeros(s), w.copy(), np.zeros(s)
    normal, right = np.zeros((solved, solved)), np.zeros(solved)
    squares = 0.0
    for t in range(y.size):
        error, along = y[t], 0.0
        for i in range(s):
            error -= w[i] * state[i]
            along += row[i] * g[i]
        squares += error * error
        for i in range(solved):
            right[i] += row[i] * error
            for j in range(i + 1):
                normal[i, j] += row[i] * row[j]
        for i in range(s):
            moved[i] = g[i] * error
            turned[i] = -along * w[i]
        for i in range(rows.size):
            moved[rows[i]] += f[rows[i], columns[i]] * state[columns[i]]
            turned[columns[i]] += row[rows[i]] * f[rows[i], columns[i]]
        for i in range(s):
            state[i], row[i] = moved[i], turned[i]
    gained = _solve(normal, right, solved)
    for i in range(s):
        x[i] = right[i] if i < solved else 0.0
    squares = max(squares - gained, 0.0)
    return squares if squares < REJECTED else REJECTED


@njit("Tuple((f8[::1], f8, i8))(f8[::1], f8[::1], f8[::1], i8[::1], i8, i8)", cache=True)
def tbats_search(y, start, reach, shape, season, evaluations):  # type: ignore[no-untyped-def]
    """Least `tbats_squares` by Nelder and Mead's simplex from `start` with edges `reach`: (k,) both.

    Returns the best free numbers: (k,), their squares (REJECTED where none is allowed) and the evaluations used.
    """
    k = start.size
    x = np.zeros(1 + shape[0] + 2 * shape[2] + shape[3] + shape[4])
    points, values = np.empty((k + 1, k)), np.empty(k + 1)
    trial, other = np.empty(k), np.empty(k)
    used = 0
    for i in range(k + 1):
        for j in range(k):
            points[i, j] = start[j] + (reach[j] if i == j + 1 else 0.0)
        values[i] = REJECTED
        if used < evaluations:
            values[i] = tbats_squares(y, points[i], shape, season, x)
            used += 1
    while True:
        best, worst = 0, 0
        for i in range(1, k + 1):
            best = i if values[i] < values[best] else best
            worst = i if values[i] >= values[worst] else worst
        second = best
        for i in range(k + 1):
            second = i if i != worst and values[i] > values[second] else second
        if used + 2 > evaluations or values[worst] - values[best] <= 1e-7 * abs(values[best]):
            break
        for j in range(k):
            total = -points[worst, j]
            for i in range(k + 1):
                total += points[i, j]
            trial[j] = 2.0 * total / k - points[worst, j]
        value = tbats_squares(y, trial, shape, season, x)
        used += 1
        if value < values[best] or value >= values[second]:
            far = 1.5 if value < values[best] else (0.75 if value < values[worst] else 0.25)
            for j in range(k):
                other[j] = points[worst, j] + far * (trial[j] - points[worst, j])
            found = tbats_squares(y, other, shape, season, x)
            used += 1
            if found < value:
                value = found
                for j in range(k):
                    trial[j] = other[j]
        if value < values[worst]:
            values[worst] = value
            for j in range(k):
                points[worst, j] = trial[j]
            continue
        for i in range(k + 1):
            if i != best:
                for j in range(k):
                    points[i, j] = 0.5 * (points[i, j] + points[best, j])
                values[i] = REJECTED
                if used < evaluations:
                    values[i] = tbats_squares(y, points[i], shape, season, x)
                    used += 1
    return points[best].copy(), values[best], used
