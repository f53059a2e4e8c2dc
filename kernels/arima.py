"""Seasonal ARIMA by its exact Gaussian likelihood, estimated with the innovations algorithm (`arima_filter` forecasts).

The series is differenced first; on the differences w_t (ARMA, stationary) the one-step predictors are linear in earlier
innovations u, w_t − ŵ_t = u_t, with coefficients that depend on t and the parameters alone: the banded LDL' factor of
the covariance (Ansley 1979, doi:10.1093/biomet/66.1.59; Brockwell and Davis 1991, section 5.3). So a state is dozens of
numbers, where a Kalman filter of season 24 carries 50 × 50.
"""

from __future__ import annotations

import numpy as np
from numba import njit

EDGE = 0.9995  # largest partial autocorrelation of a factor: beyond it no window tells a root from one


@njit("f8[::1](f8[::1])", cache=True)
def from_partials(raw):  # type: ignore[no-untyped-def]
    """Coefficients c of x_t = Σ c_i x_{t−i} + e_t, stationary for any raw: (k,) float64, by Levinson's recursion."""
    k = raw.size
    c = np.zeros(k)
    old = np.zeros(k)
    for i in range(k):
        partial = EDGE * np.tanh(raw[i])
        for j in range(i):
            old[j] = c[j]
        for j in range(i):
            c[j] = old[j] - partial * old[i - 1 - j]
        c[i] = partial
    return c


@njit("f8[::1](f8[::1], f8[::1], i8)", cache=True)
def expand(short, seasonal, season):  # type: ignore[no-untyped-def]
    """Coefficients of the product (1 − Σ short_i B^i)(1 − Σ seasonal_j B^{j season}), written 1 − Σ out_k B^k."""
    out = np.zeros(short.size + season * seasonal.size)
    for i in range(short.size):
        out[i] = short[i]
    for j in range(seasonal.size):
        base = season * (j + 1)
        out[base - 1] += seasonal[j]
        for i in range(short.size):
            out[base + i] -= seasonal[j] * short[i]
    return out


@njit("f8[::1](f8[::1], i8)", cache=True)
def _ar_covariances(phi, lags):  # type: ignore[no-untyped-def]
    """Autocovariances 0 … lags of x_t = Σ phi_i x_{t−i} + e_t with unit innovations: Levinson's recursion and back."""
    p = phi.size
    orders = np.zeros((p + 1, p))
    for i in range(p):
        orders[p, i] = phi[i]
    for k in range(p, 0, -1):
        partial = orders[k, k - 1]
        rest = 1.0 - partial * partial
        for i in range(k - 1):
            orders[k - 1, i] = (orders[k, i] + partial * orders[k, k - 2 - i]) / rest
    gamma = np.zeros(lags + 1)
    variance = 1.0
    for k in range(1, p + 1):
        variance /= 1.0 - orders[k, k - 1] ** 2
    gamma[0] = variance
    for k in range(1, lags + 1):
        total = 0.0
        for i in range(min(k - 1, p)):
            total += orders[min(k - 1, p), i] * gamma[k - 1 - i]
        if k <= p:
            total += orders[k, k - 1] * variance
            variance *= 1.0 - orders[k, k - 1] ** 2
        gamma[k] = total
    return gamma


@njit("Tuple((f8[::1], f8[::1], f8[::1]))(f8[::1], f8[::1])", cache=True)
def _covariances(phi, theta):  # type: ignore[no-untyped-def]
    """Covariances by lag 0 … m of the process, of it with its filtered self (lag ≤ q), and of its moving average."""
    p, q = phi.size, theta.size
    m = max(p, q)
    ma = np.zeros(m + 1)
    for r in range(q + 1):
        a = 1.0 if r == 0 else theta[r - 1]
        if a != 0.0:
            for s in range(r, q + 1):
                ma[s - r] += a * (1.0 if s == 0 else theta[s - 1])
    if p == 0:
        return ma, ma, ma
    gamma = _ar_covariances(phi, m + q)
    own = np.zeros(m + 1)
    for lag in range(m + 1):
        for r in range(-q, q + 1):
            own[lag] += ma[abs(r)] * gamma[abs(lag - r)]
    cross = np.zeros(m + 1)
    for lag in range(q + 1):
        cross[lag] = own[lag]
        for r in range(1, p + 1):
            cross[lag] -= phi[r - 1] * own[abs(r - lag)]
    return own, cross, ma


@njit("Tuple((f8[:,::1], f8[::1]))(f8[::1], f8[::1], i8)", cache=True)
def factor(phi, theta, n):  # type: ignore[no-untyped-def]
    """What the one-step predictor of w_t takes of each earlier innovation, and the innovation's relative variance.

    phi: (p,), theta: (q,) of a stationary w_t = Σ phi_i w_{t−i} + e_t + Σ theta_i e_{t−i}. Returns rows: (n, m) with
    m = max(p, q), rows[t, m − lag] for lag 1 … min(t, m if t < m else q), zero elsewhere; v: (n,), falling to 1.
    The autoregressive part takes part directly from t = m on, as in `whiten`.

    >>> rows, v = factor(np.empty(0), np.array([0.5]), 3)
    >>> rows[:, 0].round(4).tolist(), v.round(4).tolist()
    ([0.0, 0.4, 0.4762], [1.25, 1.05, 1.0119])
    """
    q = theta.size
    m = max(phi.size, q)
    own, cross, ma = _covariances(phi, theta)
    rows = np.zeros((n, m))
    v = np.empty(n)
    scaled = np.zeros(m + 1)
    for t in range(n):
        first = 0 if t < m else t - q
        v[t] = own[0] if t < m else ma[0]
        for k in range(first, t):
            lag = t - k
            total = own[lag] if t < m else (cross[lag] if k < m else ma[lag])
            a = rows[k, m - k + first :]
            s0, s1, s2, s3 = 0.0, 0.0, 0.0, 0.0  # four sums: one waits for each addition
            count = k - first
            whole = count - count % 4
            for j in range(0, whole, 4):
                s0 += a[j] * scaled[j]
                s1 += a[j + 1] * scaled[j + 1]
                s2 += a[j + 2] * scaled[j + 2]
                s3 += a[j + 3] * scaled[j + 3]
            for j in range(whole, count):
                s0 += a[j] * scaled[j]
            total -= (s0 + s1) + (s2 + s3)
            scaled[k - first] = total
            rows[t, m - lag] = total / v[k]
            v[t] -= total * total / v[k]
    return rows, v


@njit("f8[::1](f8[::1], f8[::1], f8[:,::1], i8)", cache=True)
def whiten(w, phi, rows, q):  # type: ignore[no-untyped-def]
    """Innovations u_t = w_t − ŵ_t of w: (n,), by `factor`'s rows (≥ n of them). Linear in w. Returns (n,)."""
    n, p, m = w.size, phi.size, rows.shape[1]
    u = np.empty(n)
    for t in range(n):
        total = w[t]
        width = min(t, m) if t < m else q
        for lag in range(1, width + 1):
            total -= rows[t, m - lag] * u[t - lag]
        if t >= m:
            for i in range(p):
                total -= phi[i] * w[t - 1 - i]
        u[t] = total
    return u


@njit("Tuple((f8[::1], f8[::1]))(f8[::1], i8[::1], i8)", cache=True)
def polynomials(raw, orders, season):  # type: ignore[no-untyped-def]
    """phi and theta, stationary and invertible, of any raw: (p + q + P + Q,); orders: (4,) p, q, P, Q."""
    a, b, c, d = orders[0], orders[1], orders[2], orders[3]
    phi = expand(from_partials(raw[:a]), from_partials(raw[a + b : a + b + c]), season)
    theta = -expand(from_partials(raw[a : a + b]), from_partials(raw[a + b + c : a + b + c + d]), season)
    return phi, theta


@njit("Tuple((f8, f8, f8, f8[::1]))(f8[::1], i8[::1], i8, f8[::1], b1)", cache=True)
def likelihood(raw, orders, season, w, constant):  # type: ignore[no-untyped-def]
    """Half the mean −2 log likelihood (less a constant) of w: (n,), inf where numerics fail; the mean of w by
    generalised least squares, 0 unless `constant`; the innovations' sum of squares; the innovations."""
    phi, theta = polynomials(raw, orders, season)
    n = w.size
    rows, v = factor(phi, theta, n)
    logs = 0.0
    for t in range(n):
        if not v[t] > 0.0:
            return np.inf, 0.0, 0.0, w
        logs += np.log(v[t])
    u = whiten(w, phi, rows, theta.size)
    mean, squares = 0.0, 0.0
    if constant:
        x = whiten(np.ones(n), phi, rows, theta.size)
        along, norm = 0.0, 0.0
        for t in range(n):
            along += u[t] * x[t] / v[t]
            norm += x[t] * x[t] / v[t]
        mean = along / norm
        for t in range(n):
            u[t] -= mean * x[t]
    for t in range(n):
        squares += u[t] * u[t] / v[t]
    if not squares > 0.0:
        return np.inf, mean, squares, u
    return 0.5 * (np.log(squares / n) + logs / n), mean, squares, u


@njit("void(f8[:,::1], f8[::1], f8[::1], f8[::1])", cache=True)
def _turn(inverse, change, step, turned):  # type: ignore[no-untyped-def]
    """Broyden, Fletcher, Goldfarb and Shanno's update of the inverse Hessian; none where curvature is not positive."""
    k = step.size
    along, square = 0.0, 0.0
    for i in range(k):
        along += change[i] * step[i]
        turned[i] = 0.0
        for j in range(k):
            turned[i] += inverse[i, j] * change[j]
        square += turned[i] * change[i]
    if along <= 1e-12:
        return
    scale = (1.0 + square / along) / along
    for i in range(k):
        for j in range(k):
            inverse[i, j] += scale * step[i] * step[j] - (turned[i] * step[j] + step[i] * turned[j]) / along


@njit("f8(f8[:,::1], f8[::1], f8[::1], b1)", cache=True)
def _downhill(inverse, gradient, direction, fresh):  # type: ignore[no-untyped-def]
    """Quasi-Newton direction, or the steepest one from a fresh start or where the other leads up; returns its slope."""
    k = gradient.size
    for attempt in range(2):
        slope = 0.0
        for i in range(k):
            direction[i] = 0.0
            for j in range(k):
                if fresh or attempt:
                    inverse[i, j] = 1.0 if i == j else 0.0
                direction[i] -= inverse[i, j] * gradient[j]
            slope += direction[i] * gradient[i]
        if slope < 0.0:
            break
    return slope


@njit("Tuple((f8[::1], f8, i8))(f8[::1], i8[::1], i8, f8[::1], b1, i8)", cache=True)
def maximise(raw, orders, season, w, constant, evaluations):  # type: ignore[no-untyped-def]
    """Least `likelihood` from `raw` on, by BFGS with forward differences, in at most `evaluations` of it.

    Returns the best raw: (k,), its value (inf where even the start has none) and the evaluations used.
    """
    k = raw.size
    best, trial = raw.copy(), raw.copy()
    value = likelihood(best, orders, season, w, constant)[0]
    used, fresh = 1, True
    inverse = np.zeros((k, k))
    gradient, change, step, turned, direction = np.zeros(k), np.zeros(k), np.zeros(k), np.zeros(k), np.zeros(k)
    while k > 0 and np.isfinite(value) and used + k + 1 <= evaluations:
        steepest = 0.0
        for i in range(k):
            for j in range(k):
                trial[j] = best[j] + (1e-6 if i == j else 0.0)
            slope = (likelihood(trial, orders, season, w, constant)[0] - value) / 1e-6
            change[i], gradient[i] = slope - gradient[i], slope
            steepest = max(steepest, abs(slope))
        used += k
        if not 1e-6 <= steepest < np.inf:
            break
        if not fresh:
            _turn(inverse, change, step, turned)
        slope = _downhill(inverse, gradient, direction, fresh)
        longest = 1.0
        for i in range(k):
            longest = max(longest, abs(direction[i]))
        length, found = 1.0 / longest, value
        while used < evaluations and length > 1e-6:
            for i in range(k):
                trial[i] = best[i] + length * direction[i]
            found = likelihood(trial, orders, season, w, constant)[0]
            used += 1
            if found <= value + 1e-4 * length * slope:
                break
            length *= 0.4
        if not found < value:
            break
        gain, value, fresh = value - found, found, False
        for i in range(k):
            step[i] = trial[i] - best[i]
            best[i] = trial[i]
        if gain < 1e-8:
            break
    return best, value, used
