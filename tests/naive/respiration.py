"""Breathing from modulations of the pulse, point by point and window by window."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def resample(t_us: NDArray[np.int64], series: Floats, first_us: int, step_us: int, pad: int, n: int) -> Floats:
    times = first_us + step_us * np.arange(n)
    rows = []
    for row in series:
        x = np.interp(times, t_us, row)
        head, tail = 2 * x[0] - x[1 : pad + 1][::-1], 2 * x[-1] - x[-1 - pad : -1][::-1]
        rows.append(np.concatenate([head, x, tail]))
    return np.array(rows)


def count_breaths(x: Floats, fs_hz: float, starts: NDArray[np.int64], size: int) -> Floats:
    return np.array([_rate(x[s : s + size], fs_hz) for s in starts])


def _rate(x: Floats, fs_hz: float) -> float:
    inner = range(1, len(x) - 1)
    maxima = [i for i in inner if x[i] > x[i - 1] and x[i] >= x[i + 1]]
    minima = [i for i in inner if x[i] <= x[i - 1] and x[i] < x[i + 1]]
    if len(maxima) < 3:
        return np.nan
    high = [i for i in maxima if x[i] > 0.2 * np.percentile(x[maxima], 75)]
    breaths = []
    for a, b in pairwise(high):
        if len([i for i in minima if a < i < b and x[i] < 0]) == 1:
            breaths.append(b - a)
    return 60 * fs_hz / float(np.mean(breaths)) if len(breaths) >= 2 else np.nan


def fuse(rates: Floats) -> tuple[Floats, NDArray[np.int8]]:
    fused, number = [], []
    for three in rates.T:
        told = three[np.isfinite(three)]
        number.append(len(told))
        if len(told) == 3:
            fused.append(told.mean() if np.std(told, ddof=1) <= 4 else np.nan)
        else:
            fused.append(told.mean() if len(told) == 2 and np.ptp(told) <= 3 else np.nan)
    return np.array(fused), np.array(number, np.int8)
