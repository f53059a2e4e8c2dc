"""LOWESS as Cleveland (1979) writes it: every line a weighted least-squares problem of its own."""

from __future__ import annotations

import numpy as np


def lowess(x, y, neighbours, iterations):  # type: ignore[no-untyped-def]
    trust = np.ones(len(x))
    for repeat in range(iterations + 1):
        fitted = np.array([line(x, y, trust, neighbours, i) for i in range(len(x))])
        if repeat < iterations:
            residual = np.abs(y - fitted)
            scale = 6 * np.median(residual)
            ratio = np.minimum(residual / scale, 1) if scale > 0 else (residual > 0) * 1.0
            trust = (1 - ratio**2) ** 2
    return fitted


def line(x, y, trust, neighbours, i):  # type: ignore[no-untyped-def]
    """Of all runs of so many neighbours, the first whose farthest point is nearest."""
    runs = [np.arange(first, first + neighbours) for first in range(len(x) - neighbours + 1)]
    near = min(runs, key=lambda run: max(abs(x[run] - x[i])))
    weight = trust[near] * (1 - (abs(x[near] - x[i]) / max(abs(x[near] - x[i]))) ** 3) ** 3
    if (weight > 0).sum() < 2:
        return y[i]
    root = np.sqrt(weight)
    design = np.column_stack([np.ones(neighbours), x[near] - x[i]])
    return np.linalg.lstsq(root[:, None] * design, root * y[near], rcond=None)[0][0]


def newest(x, y, person, look_back, neighbours, iterations):  # type: ignore[no-untyped-def]
    out = np.full(len(y), np.nan)
    for i in range(len(y)):
        last = [j for j in range(i + 1) if person[j] == person[i] and not np.isnan(y[j])][-look_back:]
        if not np.isnan(y[i]) and len(last) == look_back:
            out[i] = lowess(x[last], y[last], neighbours, iterations)[-1]
    return out
