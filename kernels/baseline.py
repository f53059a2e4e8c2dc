"""What was usual before: median and spread of the values that came earlier, person by person. Nothing later is read."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit("f8(f8[::1], i8)", cache=True)
def _middle(ascending, size):  # type: ignore[no-untyped-def]
    """Median of the first `size` values, which ascend; `size` ≥ 1."""
    half = size // 2
    return ascending[half] if size % 2 else 0.5 * (ascending[half - 1] + ascending[half])


@njit("Tuple((f8[:], f8[:], i8[:], i8[:]))(f8[::1], b1[::1], i8[::1], i8, i8)", cache=True)
def past_baseline(x, usable, person, most, least):  # type: ignore[no-untyped-def]
    """Median and median absolute deviation of the last `most` usable values before each row, of the same person.

    x: (n,) float64, NaN = missing; usable: (n,) bool, whether a value may count for later rows; person: (n,) int64,
    equal numbers lie together, each person's rows in order of time; `least` ≥ 1. Returns (n,) each: median and MAD
    (NaN where fewer than `least` values), how many values, and the row of the oldest of them (−1 = none).

    >>> x, one = np.array([1.0, 4.0, 2.0, 9.0, 0.0]), np.zeros(5, np.int64)
    >>> median, mad, count, oldest = past_baseline(x, x > -1, one, 3, 2)
    >>> median.tolist(), mad.tolist(), count.tolist(), oldest.tolist()
    ([nan, nan, 2.5, 2.0, 4.0], [nan, nan, 1.5, 1.0, 2.0], [0, 1, 2, 3, 3], [-1, 0, 0, 0, 1])
    """
    n = x.size
    median, mad = np.full(n, np.nan), np.full(n, np.nan)
    count, oldest = np.zeros(n, np.int64), np.full(n, -1)
    held, window = np.empty(most, np.int64), np.empty(most)
    seen = 0
    for i in range(n):
        if i > 0 and person[i] != person[i - 1]:
            seen = 0
        size = min(seen, most)
        count[i] = size
        if size > 0:
            oldest[i] = held[seen % most if seen > most else 0]
        if size >= least:
            for j in range(size):
                window[j] = x[held[j]]
            window[:size].sort()
            median[i] = _middle(window, size)
            for j in range(size):
                window[j] = abs(window[j] - median[i])
            window[:size].sort()
            mad[i] = _middle(window, size)
        if usable[i] and not np.isnan(x[i]):
            held[seen % most] = i
            seen += 1
    return median, mad, count, oldest
