"""Gain and offset of three axes from directions in which they held still: gravity is 1 g whatever the direction."""

from __future__ import annotations

import numpy as np
from numba import njit

MOST_ROUNDS = 1000
TOLERANCE = 1e-10
MOST_WEIGHT = 100.0


@njit("f8(f8[:,::1], f8[::1], f8[::1])", cache=True)
def distance(points, scale, offset):  # type: ignore[no-untyped-def]
    """Mean |‖(point + offset)·scale‖ − 1| over (n, 3) points; NaN without one. In g, as they are."""
    total = 0.0
    for i in range(points.shape[0]):
        square = 0.0
        for k in range(3):
            square += ((points[i, k] + offset[k]) * scale[k]) ** 2
        total += abs(np.sqrt(square) - 1.0)
    return total / points.shape[0] if points.shape[0] else np.nan


@njit("UniTuple(f8, 2)(f8[::1], f8[::1], f8[::1])", cache=True)
def _line(x, y, weight):  # type: ignore[no-untyped-def]
    """Intercept and slope of y on x by weighted least squares; 0 and 1 where all x are the same."""
    total, mean_x, mean_y = weight.sum(), 0.0, 0.0
    for i in range(x.size):
        mean_x += weight[i] * x[i]
        mean_y += weight[i] * y[i]
    mean_x, mean_y = mean_x / total, mean_y / total
    xx, xy = 0.0, 0.0
    for i in range(x.size):
        xx += weight[i] * (x[i] - mean_x) ** 2
        xy += weight[i] * (x[i] - mean_x) * (y[i] - mean_y)
    slope = xy / xx if xx > 0.0 else 1.0
    return mean_y - slope * mean_x, slope


@njit("UniTuple(f8[:], 2)(f8[:,::1])", cache=True)
def fit_sphere(points):  # type: ignore[no-untyped-def]
    """scale, offset: (3,) so that (point + offset)·scale lies on the unit sphere, or near it.

    points: (n, 3) float64, g, n ≥ 1 and finite, of many directions: it is the caller's part to ask for them. Repeats:
    each point's target is where its own direction meets the sphere; each axis is fitted to its targets by a line, a
    point weighing 1 / its distance, at most 100; until the weighted mean square changes by less than 1e-10, or 1000
    times. Source: van Hees 2014, 10.1152/japplphysiol.00421.2014.
    """
    n = points.shape[0]
    scale, offset = np.ones(3), np.zeros(3)
    axes, target, weight = np.empty((3, n)), np.empty((3, n)), np.ones(n)
    before = np.inf
    for _ in range(MOST_ROUNDS):
        for i in range(n):
            square = 0.0
            for k in range(3):
                axes[k, i] = (points[i, k] + offset[k]) * scale[k]
                square += axes[k, i] ** 2
            norm = np.sqrt(square)
            for k in range(3):
                target[k, i] = axes[k, i] / norm if norm > 0.0 else 0.0
        for k in range(3):
            start, slope = _line(axes[k], target[k], weight)
            offset[k] += start / (scale[k] * slope)
            scale[k] *= slope
            axes[k] = start + slope * axes[k]
        error, total = 0.0, weight.sum()
        for i in range(n):
            square = 0.0
            for k in range(3):
                square += (axes[k, i] - target[k, i]) ** 2
            error += weight[i] * square
            weight[i] = min(1.0 / np.sqrt(square), MOST_WEIGHT) if square > 0.0 else MOST_WEIGHT
        error /= total
        if abs(error - before) < TOLERANCE:
            break
        before = error
    return scale, offset
