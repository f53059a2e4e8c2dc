"""Slow, obvious forms of kernels/classical.py."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def is_seasonal(y: Floats, season: int) -> bool:
    n = len(y)
    if season < 4 or n < 2 * season:
        return False
    d = y - y.mean()
    r = [float((d[: n - k] * d[k:]).sum() / (d * d).sum()) for k in range(1, season + 1)]
    return abs(r[-1]) > 1.6448536269514722 * np.sqrt((1 + 2 * sum(x * x for x in r[:-1])) / n)


def seasonal_figure(y: Floats, season: int, multiplicative: bool) -> Floats:
    half = season // 2
    weights = np.ones(season) if season % 2 else np.array([0.5, *[1.0] * (season - 1), 0.5])
    groups: list[list[float]] = [[] for _ in range(season)]
    for t in range(half, len(y) - half):
        trend = float((weights * y[t - half : t + half + 1]).sum() / season)
        groups[t % season].append(y[t] / trend if multiplicative else y[t] - trend)
    figure = np.array([np.mean(group) for group in groups])
    return figure / figure.mean() if multiplicative else figure - figure.mean()
