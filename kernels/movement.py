"""Movement of one contiguous stretch of acceleration: sums per epoch, from which ENMO, MAD and stillness follow."""

from __future__ import annotations

import numpy as np
from numba import njit

MISSING = -(2**31)
COUNT, CLIPPED, SUM, SQUARES, LOW, HIGH = 0, 1, 2, 5, 8, 11
"""Columns of the integer sums: SUM, SQUARES, LOW and HIGH hold one column for each axis from there on."""


@njit("Tuple((f8[:], f8[:,:], i8[:,:]))(i4[::1], i4[::1], i4[::1], f8[::1], f8[::1], i8[::1], f8)", cache=True)
def movement(x, y, z, scale, offset, bounds, clip_g):  # type: ignore[no-untyped-def]
    """Sum one stretch of acceleration over epochs, truncating each sample's norm at 1 g before averaging.

    x, y, z: (n,) int32, −2³¹ = missing; scale, offset: (3,) g, so that physical = raw·scale + offset.
    bounds: (m + 1,) int64, ascending: epoch e holds the samples bounds[e] to bounds[e + 1] − 1.
    clip_g: an axis at or beyond it is clipped.
    Returns norm (n,) g, NaN = missing; floats (m, 2): Σ‖a‖ and Σ max(‖a‖ − 1, 0) in g; integers (m, 14): samples,
    clipped samples, and of each axis's raw values Σ, Σ², minimum, maximum. Integer sums are exact whatever the order.
    Source: van Hees 2013, 10.1371/journal.pone.0061691 (ENMO).
    """
    m = bounds.size - 1
    norm = np.full(x.size, np.nan)
    floats = np.zeros((m, 2))
    integers = np.zeros((m, 14), np.int64)
    integers[:, LOW : LOW + 3] = 2**31
    integers[:, HIGH : HIGH + 3] = MISSING
    for e in range(m):
        row = integers[e]
        total = 0.0
        above = 0.0
        for i in range(bounds[e], bounds[e + 1]):
            if x[i] == MISSING or y[i] == MISSING or z[i] == MISSING:
                continue
            gx = x[i] * scale[0] + offset[0]
            gy = y[i] * scale[1] + offset[1]
            gz = z[i] * scale[2] + offset[2]
            r = np.sqrt(gx * gx + gy * gy + gz * gz)
            norm[i] = r
            total += r
            above += max(r - 1.0, 0.0)
            row[COUNT] += 1
            row[CLIPPED] += max(abs(gx), abs(gy), abs(gz)) >= clip_g
            for axis in range(3):
                raw = np.int64(x[i]) if axis == 0 else np.int64(y[i]) if axis == 1 else np.int64(z[i])
                row[SUM + axis] += raw
                row[SQUARES + axis] += raw * raw
                row[LOW + axis] = min(row[LOW + axis], raw)
                row[HIGH + axis] = max(row[HIGH + axis], raw)
        floats[e, 0] = total
        floats[e, 1] = above
    return norm, floats, integers


@njit("f8[:](f8[::1], f8[::1], i8[::1])", cache=True)
def deviation(norm, mean, bounds):  # type: ignore[no-untyped-def]
    """Σ |‖a‖ − mean ‖a‖| of each epoch. norm: (n,) g, NaN = missing; mean, result: (m,) g; bounds as in `movement`."""
    m = bounds.size - 1
    total = np.zeros(m)
    for e in range(m):
        for i in range(bounds[e], bounds[e + 1]):
            if not np.isnan(norm[i]):
                total[e] += abs(norm[i] - mean[e])
    return total
