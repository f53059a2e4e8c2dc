"""What many overlapping slices of one series hold, in numbers."""

from __future__ import annotations

from math import sqrt

import numpy as np
from numba import njit

from kernels.arrays import Flags, Floats, Ints

FIRST, LAST, SEEN = range(3)
LEAST, GREATEST, MEAN, SD = range(4)


@njit("void(float64[::1], boolean[::1], int64[::1], int64[::1], int64[:, ::1], float64[:, ::1])", cache=True)
def describe_slices(y: Floats, observed: Flags, start: Ints, end: Ints, places: Ints, moments: Floats) -> None:
    """Describe y[start[i] : end[i]], each slice by itself and in order, so that equal slices give equal bits.

    y: (n,) finite. places: (k, 3) int64, written: first and last observed index (−1 = none) and how many are observed.
    moments: (k, 4) float64, written: least and greatest value, mean, standard deviation (n − 1); NaN where undefined.
    """
    for i in range(start.size):
        first, last, seen = -1, -1, 0
        least, greatest, total = np.inf, -np.inf, 0.0
        for j in range(start[i], end[i]):
            if observed[j]:
                first = j if first < 0 else first
                last = j
                seen += 1
            least, greatest = min(least, y[j]), max(greatest, y[j])
            total += y[j]
        places[i, FIRST], places[i, LAST], places[i, SEEN] = first, last, seen
        n = end[i] - start[i]
        moments[i, :] = np.nan
        if n <= 0:
            continue
        mean, square = total / n, 0.0
        for j in range(start[i], end[i]):
            square += (y[j] - mean) ** 2
        moments[i, LEAST], moments[i, GREATEST], moments[i, MEAN] = least, greatest, mean
        if n > 1:
            moments[i, SD] = sqrt(square / (n - 1))
