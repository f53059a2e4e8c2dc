"""Sums of many places of an array at once."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit("void(f8[::1], i8, i8, f8[::1], f8[::1])", cache=True)
def gather(x, stride, count, row, out):  # type: ignore[no-untyped-def]
    """out[i] = Σ row[k]·x[i + k·stride], i < count; x, row, out: float64, out written.

    Summed over k first to last for each i; four terms at a time, for they then stay in registers.
    """
    k, width = 0, row.size
    for i in range(count):
        out[i] = 0.0
    while k + 4 <= width:
        a, b, c, d = row[k], row[k + 1], row[k + 2], row[k + 3]
        one, two = x[k * stride :], x[(k + 1) * stride :]
        three, four = x[(k + 2) * stride :], x[(k + 3) * stride :]
        for i in range(count):
            out[i] += a * one[i] + b * two[i] + c * three[i] + d * four[i]
        k += 4
    while k < width:
        a, one = row[k], x[k * stride :]
        for i in range(count):
            out[i] += a * one[i]
        k += 1


@njit("UniTuple(i8[::1], 2)(Array(int32, 1, 'C', readonly=True), i4, i8[::1])", cache=True)
def sums_between(values, missing, bounds):  # type: ignore[no-untyped-def]
    """How many of values[bounds[e]:bounds[e + 1]] are not `missing`, and the sum of these: two (m,) int64.

    values: (n,) int32; bounds: (m + 1,) ascending, 0 … n.

    >>> sums_between(np.array([1, -9, 3, 4], np.int32), -9, np.array([0, 3, 3, 4]))[1].tolist()
    [4, 0, 4]
    """
    m = bounds.size - 1
    count, total = np.zeros(m, np.int64), np.zeros(m, np.int64)
    for e in range(m):
        there, own = 0, np.int64(0)
        for value in values[bounds[e] : bounds[e + 1]]:
            there += value != missing
            own += np.int64(value) if value != missing else np.int64(0)
        count[e], total[e] = there, own
    return count, total
