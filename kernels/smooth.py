"""Low-pass without delay, for slow series such as skin temperature."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit("f8[:](f8[::1], f8, i8)", cache=True)
def lowpass(x, cutoff, padding):  # type: ignore[no-untyped-def]
    """Butterworth low-pass of order 2, forwards and backwards, over each run of present values on its own.

    x: (n,) float64, NaN = missing; cutoff: as a fraction of the sampling rate, in (0, 0.5); padding: samples of odd
    reflection at both ends of a run, at most its length − 1. Returns (n,) float64, NaN where x is.
    Equal to `scipy.signal.sosfiltfilt(butter(2, 2·cutoff), …, padlen=padding)` on a run.
    """
    w = np.tan(np.pi * cutoff)
    norm = 1.0 / (1.0 + np.sqrt(2.0) * w + w * w)
    b = w * w * norm
    a1 = 2.0 * (w * w - 1.0) * norm
    a2 = (1.0 - np.sqrt(2.0) * w + w * w) * norm
    out = np.full(x.size, np.nan)
    start = 0
    while start < x.size:
        if np.isnan(x[start]):
            start += 1
            continue
        end = start
        while end < x.size and not np.isnan(x[end]):
            end += 1
        pad = min(padding, end - start - 1)
        run = np.empty(end - start + 2 * pad)
        for i in range(run.size):
            j = i - pad + start
            if j < start:
                run[i] = 2.0 * x[start] - x[2 * start - j]
            elif j >= end:
                run[i] = 2.0 * x[end - 1] - x[2 * (end - 1) - j]
            else:
                run[i] = x[j]
        for _ in range(2):
            first = run[0]
            s1, s2 = 0.0, 0.0
            for i in range(run.size):
                u = run[i] - first
                y = b * u + s1
                s1 = 2.0 * b * u - a1 * y + s2
                s2 = b * u - a2 * y
                run[i] = y + first
            run = run[::-1].copy()
        out[start:end] = run[pad : pad + end - start]
        start = end
    return out
