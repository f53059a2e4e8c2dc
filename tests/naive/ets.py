"""Exponential smoothing by matrices, after Hyndman, Koehler, Ord & Snyder 2008, every power multiplied out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def matrices(theta: Floats, m: int) -> tuple[Floats, Floats, Floats]:
    """w, F, g of y = wᵀx + e, x' = Fx + ge; x: level, trend, seasonal figures, the first for the next hour."""
    alpha, beta, gamma, phi = theta
    w = np.zeros(2 + m)
    w[[0, 1, 2]] = 1, phi, 1
    f = np.zeros((2 + m, 2 + m))
    f[0, :2] = 1, phi
    f[1, 1] = phi
    for j in range(m):
        f[2 + j, 2 + (j + 1) % m] = 1
    g = np.zeros(2 + m)
    g[[0, 1, 1 + m]] = alpha, beta, gamma
    return w, f, g


def run(y: Floats, theta: Floats, state: Floats) -> tuple[Floats, Floats]:
    """Errors, and the state after them."""
    w, f, g = matrices(theta, state.size - 2)
    errors = []
    for value in y:
        error = value - w @ state
        state = f @ state + g * error
        errors.append(error)
    return np.array(errors), state


def columns(n: int, theta: Floats, m: int) -> Floats:
    """(n, 2 + m): what each initial state takes from the errors, wᵀ(F − gwᵀ)ᵗ."""
    w, f, g = matrices(theta, m)
    discount, power, rows = f - np.outer(g, w), np.eye(2 + m), []
    for _ in range(n):
        rows.append(w @ power)
        power = discount @ power
    return np.array(rows)


def solve(y: Floats, theta: Floats, m: int, trend: bool) -> tuple[float, Floats]:
    """Least sum of squares over initial states, and the last state that they lead to (level taken to be 0 at first)."""
    kept = [1, *range(2, 2 + m)] if trend else list(range(2, 2 + m))
    start = np.zeros(2 + m)
    still, _ = run(y, theta, start)
    start[kept] = np.linalg.lstsq(columns(y.size, theta, m)[:, kept], still, rcond=None)[0]
    errors, last = run(y, theta, start)
    return float(errors @ errors), last


def classical(y: Floats, m: int) -> Floats:
    """The mean season of the last whole ones about a line through their means, how far above it the first hours lie."""
    first = y.size % m
    means = y[first:].reshape(-1, m).mean(axis=1)
    slope, _ = np.polyfit(m * np.arange(means.size), means, 1)
    level = y - slope * (np.arange(y.size) - (first + y.size - 1) / 2)
    season = [np.mean([level[t] for t in range(first, y.size) if t % m == phase]) for phase in range(m)]
    return np.array([np.mean(y[:m]) - np.mean(season), 0.0, *season])


def forecast(theta: Floats, state: Floats, variance: float, steps: int) -> tuple[Floats, Floats]:
    """Mean and standard deviation, the latter from the moving average form of the model."""
    w, f, g = matrices(theta, state.size - 2)
    mean = [w @ np.linalg.matrix_power(f, j) @ state for j in range(steps)]
    weights = [1.0] + [float(w @ np.linalg.matrix_power(f, j - 1) @ g) for j in range(1, steps)]
    return np.array(mean), np.sqrt(variance * np.cumsum(np.square(weights)))
