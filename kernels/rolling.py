"""Windows that slide over a regular series: each result is computed from its own window, so that nothing lingers."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit("f8[:](f8[::1], i8, i8, i8)", cache=True)
def rolling_median(x, before, after, least):  # type: ignore[no-untyped-def]
    """Median of x[i − before … i + after], missing values left out; NaN where fewer than `least` are present.

    x: (n,) float64, NaN = missing; `least` ≥ 1. The window ends where the series ends. Returns (n,) float64.

    >>> rolling_median(np.array([1.0, 5.0, np.nan, 2.0]), 1, 1, 2).tolist()
    [3.0, 3.0, 3.5, nan]
    """
    n = x.size
    out = np.full(n, np.nan)
    window = np.empty(before + after + 1)
    size = 0
    for j in range(-before, n + after):
        gone = j - before - after - 1
        if 0 <= gone < n and not np.isnan(x[gone]):
            at = np.searchsorted(window[:size], x[gone])
            window[at : size - 1] = window[at + 1 : size]
            size -= 1
        if 0 <= j < n and not np.isnan(x[j]):
            at = np.searchsorted(window[:size], x[j])
            for k in range(size, at, -1):
                window[k] = window[k - 1]
            window[at] = x[j]
            size += 1
        i = j - after
        if 0 <= i < n and size >= least:
            half = size // 2
            out[i] = window[half] if size % 2 else 0.5 * (window[half - 1] + window[half])
    return out


@njit("f8[:](f8[::1], i8, i8, i8)", cache=True)
def rolling_mean(x, before, after, least):  # type: ignore[no-untyped-def]
    """Mean of x[i − before … i + after], missing values left out; NaN where fewer than `least` are present.

    Summed anew for each i: a running sum never forgets a spike. x: (n,) float64, NaN = missing. Returns (n,) float64.
    """
    n = x.size
    out = np.full(n, np.nan)
    for i in range(n):
        total, count = 0.0, 0
        for j in range(max(i - before, 0), min(i + after + 1, n)):
            if not np.isnan(x[j]):
                total += x[j]
                count += 1
        if count >= least:
            out[i] = total / count
    return out


@njit("Tuple((f8[:], f8[:]))(f8[::1], i8, i8)", cache=True)
def rolling_range(x, before, after):  # type: ignore[no-untyped-def]
    """Minimum and maximum of x[i − before … i + after]; NaN where all are missing. x: (n,) float64, NaN = missing."""
    n = x.size
    low = np.full(n, np.nan)
    high = np.full(n, np.nan)
    for i in range(n):
        for j in range(max(i - before, 0), min(i + after + 1, n)):
            if np.isnan(x[j]):
                continue
            low[i] = x[j] if np.isnan(low[i]) else min(low[i], x[j])
            high[i] = x[j] if np.isnan(high[i]) else max(high[i], x[j])
    return low, high
