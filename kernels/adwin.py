"""ADWIN: a window that grows while its mean stays, and loses its older part where two parts differ too much.

Bifet & Gavaldà 2007, 10.1137/1.9781611972771.42: the second variant, which tries only the borders of an exponential
histogram, and judges them with the window's variance.
"""

from __future__ import annotations

import numpy as np
from numba import njit

ROW = 5
"""Buckets of one size. One more, and the two oldest become one of twice the size."""
SIZES = 48
SHORTEST, GRACE = 5, 10
"""Values that a part has at least, and of a window that is never cut."""


@njit("f8(f8[::1], f8[::1], i8[::1], i8, i8, f8)", cache=True)
def _apart(sums, squares, buckets, start, end, delta):  # type: ignore[no-untyped-def]
    """How much the newer part's mean is above the older one's at the first border where they differ; 0 where none does.

    sums, squares: (n + 1,) running sums; buckets: (SIZES,) how many there are of size 2ⁱ in the window start … end.
    """
    width = end - start
    mean = (sums[end] - sums[start]) / width
    variance = max((squares[end] - squares[start]) / width - mean * mean, 0.0)
    spread = np.log(2.0 * np.log(width) / delta)
    border = start
    for size in range(SIZES - 1, -1, -1):
        for _ in range(buckets[size]):
            border += 1 << size
            older, newer = border - start, end - border
            if older < SHORTEST or newer < SHORTEST:
                continue
            few = 1.0 / (older - SHORTEST + 1) + 1.0 / (newer - SHORTEST + 1)
            far = np.sqrt(2.0 * few * variance * spread) + 2.0 / 3.0 * few * spread
            step = (sums[end] - sums[border]) / newer - (sums[border] - sums[start]) / older
            if abs(step) > far:
                return step
    return 0.0


@njit("Tuple((i8[:], i8[:]))(f8[::1], f8, i8)", cache=True)
def adwin(x, delta, every):  # type: ignore[no-untyped-def]
    """1 where the mean is found to have risen, −1 fallen, else 0; and how many values the window holds then; (n,).

    x: (n,) float64 without missing values, in units in which differences below 1 are small; delta: in (0, 1), the
    confidence of one check is 1 − delta / ln n; every: values between two checks.

    >>> alarms, width = adwin(np.repeat([0.0, 1.0], 200), 0.002, 32)
    >>> np.flatnonzero(alarms)[:1].tolist(), int(width[223])
    ([223], 56)
    """
    n = x.size
    alarms, widths = np.zeros(n, np.int64), np.zeros(n, np.int64)
    sums, squares = np.zeros(n + 1), np.zeros(n + 1)
    buckets = np.zeros(SIZES, np.int64)
    start, top = 0, 0
    for i in range(n):
        away = x[i] - x[0]
        sums[i + 1], squares[i + 1] = sums[i] + away, squares[i] + away * away
        buckets[0] += 1
        size = 0
        while buckets[size] > ROW:
            buckets[size] -= 2
            buckets[size + 1] += 1
            size += 1
            top = max(top, size)
        while (i + 1) % every == 0 and i + 1 - start > GRACE:
            step = _apart(sums, squares, buckets, start, i + 1, delta)
            if step == 0.0:
                break
            alarms[i] = 1 if step > 0.0 else -1
            while buckets[top] == 0:
                top -= 1
            buckets[top] -= 1
            start += 1 << top
        widths[i] = i + 1 - start
    return alarms, widths
