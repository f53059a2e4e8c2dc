"""Slow, obvious forms of kernels/theta.py: the recursion as Fiorucci et al. (2016) write it, lines by least squares."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def line(x: Floats) -> tuple[float, float]:
    """Intercept and slope over times 1, 2, …"""
    if len(x) == 1:
        return float(x[0]), 0.0
    slope, intercept = np.polyfit(np.arange(1, len(x) + 1), x, 1)
    return float(intercept), float(slope)


def run(x: Floats, dynamic: bool, alpha: float, weight: float, start: float, steps: int) -> tuple[Floats, Floats]:
    """One-step errors of x, and forecasts from its end; a dynamic line is fitted anew to all that is past."""
    x = np.asarray(x, float)
    seen = list(x)
    level, errors = start, []
    whole = line(x)
    for i in range(len(x) + steps):
        past = np.array(seen[:i])
        a, b = (line(past) if i > 0 else (x[0], 0.0)) if dynamic else whole
        r = 1 - alpha
        forecast = level + weight * (a * r**i + b * (1 - r ** (i + 1)) / alpha)
        if i < len(x):
            errors.append(x[i] - forecast)
        else:
            seen.append(forecast)
        level = alpha * seen[i] + r * level
    return np.array(errors), np.array(seen[len(x) :])
