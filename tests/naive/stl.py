"""STL as Cleveland et al. (1990) write it: every local regression solved anew, at every place."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def loess(x: Floats, length: int, degree: int, at: int) -> float:
    """Local regression of x, at places 0, 1, …, for place `at`; `length` places count, those nearest to it."""
    n = len(x)
    width = min(length, n)
    first = min(max(at - width // 2, 0), n - width)
    reach = max(at - first, first + width - 1 - at) + max(length - n, 0) // 2
    weights = np.zeros(n)
    for k in range(first, first + width):
        distance = abs(k - at)
        if distance <= 0.999 * reach:
            weights[k] = (1 - (distance / reach) ** 3) ** 3 if distance > 0.001 * reach else 1.0
    if degree == 0:
        return float((weights * x).sum() / weights.sum())
    design = np.column_stack([np.ones(n), np.arange(n) - at])
    return float(np.linalg.solve(design.T @ (weights[:, None] * design), design.T @ (weights * x))[0])


def moving_average(x: Floats, length: int) -> Floats:
    return np.array([x[i : i + length].mean() for i in range(len(x) - length + 1)])


def stl(y: Floats, season: int, seasonal: int = 11) -> tuple[Floats, Floats]:
    n = len(y)
    low_pass = season + 1 + season % 2
    local = math.ceil(1.5 * season / (1 - 1.5 / seasonal))
    local += 1 - local % 2
    trend = np.zeros(n)
    for _ in range(5):
        rest = y - trend
        figure = np.zeros(n + 2 * season)
        for phase in range(season):
            cycle = rest[phase::season]
            for c in range(-1, len(cycle) + 1):
                figure[(c + 1) * season + phase] = loess(cycle, seasonal, 0, c)
        smoothed = moving_average(moving_average(moving_average(figure, season), season), 3)
        component = figure[season : season + n] - [loess(smoothed, low_pass, 1, t) for t in range(n)]
        trend = np.array([loess(y - component, local, 1, t) for t in range(n)])
    return component, trend
