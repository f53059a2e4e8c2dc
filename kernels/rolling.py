"""Windows that slide over a regular series: each result is computed from its own window, so that nothing lingers."""

from __future__ import annotations

import numpy as np
from numba import njit

from kernels.ordered import exchange, median, room


@njit("f8[::1](f8[::1], i8, i8, i8)", cache=True)
def rolling_median(x, before, after, least):  # type: ignore[no-untyped-def]
    """Median of x[i − before … i + after], missing values left out; NaN where fewer than `least` are present.

    x: (n,) float64, NaN = missing; `least` ≥ 1. The window ends where the series ends. Returns (n,) float64.

    >>> rolling_median(np.array([1.0, 5.0, np.nan, 2.0]), 1, 1, 2).tolist()
    [3.0, 3.0, 3.5, nan]
    """
    n = x.size
    out = np.full(n, np.nan)
    both = room(before + after + 1)
    now, then = both[0], both[1]
    size = 0
    for i in range(-before - after, n):
        comes, goes = i + after, i - before - 1
        enters = 0 <= comes < n and not np.isnan(x[comes])
        leaves = goes >= 0 and not np.isnan(x[goes])
        exchange(now, then, x[goes] if leaves else np.inf, x[comes] if enters else np.inf)
        now, then = then, now
        size += int(enters) - int(leaves)
        if i >= 0 and size >= least:
            out[i] = median(now, size)
    return out


@njit("f8[::1](f8[::1], i8, i8, i8)", cache=True)
def rolling_mean(x, before, after, least):  # type: ignore[no-untyped-def]
    """Mean of x[i − before … i + after], missing values left out; NaN where fewer than `least` are present.

    Summed anew for each i: a running sum never forgets a spike. All i at once, one place of the window after the other:
    a third of the time. x: (n,) float64, NaN = missing; `least` ≥ 1. Returns (n,) float64.
    """
    n = x.size
    total, count = np.zeros(n), np.zeros(n)
    for place in range(-before, after + 1):
        low, high = max(-place, 0), min(n - place, n)
        near, own, number = x[low + place : high + place], total[low:high], count[low:high]
        for i in range(high - low):
            own[i] += 0.0 if np.isnan(near[i]) else near[i]
            number[i] += 0.0 if np.isnan(near[i]) else 1.0
    for i in range(n):
        total[i] = total[i] / count[i] if count[i] >= least else np.nan
    return total


@njit("UniTuple(f8[::1], 2)(f8[::1], i8, i8)", cache=True)
def rolling_range(x, before, after):  # type: ignore[no-untyped-def]
    """Minimum and maximum of x[i − before … i + after]; NaN where all are missing. x: (n,) float64, NaN = missing."""
    n = x.size
    low, high = np.full(n, np.inf), np.full(n, -np.inf)
    for place in range(-before, after + 1):
        first, end = max(-place, 0), min(n - place, n)
        near, least, most = x[first + place : end + place], low[first:end], high[first:end]
        for i in range(end - first):
            least[i] = near[i] if near[i] < least[i] else least[i]
            most[i] = near[i] if near[i] > most[i] else most[i]
    for i in range(n):
        if low[i] > high[i]:
            low[i], high[i] = np.nan, np.nan
    return low, high
