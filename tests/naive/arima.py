"""ARIMA as a normal vector: covariances from the moving average of infinite order, forecasts by conditioning."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def product(short: Floats, seasonal: Floats, season: int) -> Floats:
    """Coefficients of (1 − Σ short B^i)(1 − Σ seasonal B^{j season}), written 1 − Σ out B^k."""
    spaced = np.zeros(1 + season * seasonal.size)
    spaced[0] = 1.0
    spaced[season::season] = -seasonal
    return np.asarray(-np.convolve(np.append(1.0, -short), spaced)[1:])


def psi(phi: Floats, theta: Floats, n: int) -> Floats:
    """Weights of e_t, e_{t−1}, … in w_t."""
    weights = np.zeros(n)
    for t in range(n):
        weights[t] = 1.0 if t == 0 else (theta[t - 1] if t <= theta.size else 0.0)
        for i in range(min(t, phi.size)):
            weights[t] += phi[i] * weights[t - 1 - i]
    return weights


def covariance(phi: Floats, theta: Floats, n: int, memory: int = 4000) -> Floats:
    """Of w_1 … w_n with unit innovations: (n, n). `memory`: weights that count."""
    weights = psi(phi, theta, memory + n)
    gamma = np.array([weights[: weights.size - lag] @ weights[lag:] for lag in range(n)])
    return np.asarray(gamma[np.abs(np.subtract.outer(np.arange(n), np.arange(n)))])


def likelihood(w: Floats, phi: Floats, theta: Floats, constant: bool) -> tuple[float, float]:
    """Half the mean −2 log likelihood at the best variance, less a constant, and the mean by least squares."""
    gamma = covariance(phi, theta, w.size)
    inverse = np.linalg.inv(gamma)
    ones = np.ones(w.size)
    mean = float(ones @ inverse @ w / (ones @ inverse @ ones)) if constant else 0.0
    squares = (w - mean) @ inverse @ (w - mean)
    return float(0.5 * (np.log(squares / w.size) + np.linalg.slogdet(gamma)[1] / w.size)), mean


def forecast(y: Floats, delta: Floats, phi: Floats, theta: Floats, mean: float, steps: int) -> tuple[Floats, Floats]:
    """Means and variances of the next values of y given all of it: (steps,) each."""
    z, n = delta.size, y.size - delta.size
    w = np.array([y[t] - sum(delta[i] * y[t - 1 - i] for i in range(z)) for t in range(z, y.size)]) - mean
    gamma = covariance(phi, theta, n + steps)
    gain = gamma[n:, :n] @ np.linalg.inv(gamma[:n, :n])
    ahead = gain @ w
    spread = gamma[n:, n:] - gain @ gamma[:n, n:]
    integrate = np.eye(steps)  # row h: what w_1 … w_steps add to y_h
    for h in range(steps):
        for i in range(min(z, h)):
            integrate[h] += delta[i] * integrate[h - 1 - i]
    path = y.tolist()
    for h in range(steps):
        path.append(ahead[h] + mean + sum(delta[i] * path[-1 - i] for i in range(z)))
    return np.array(path[y.size :]), np.diag(integrate @ spread @ integrate.T)
