"""Weighted sums of many places of an array at once."""

from __future__ import annotations

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
