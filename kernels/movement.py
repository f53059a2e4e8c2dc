"""Movement of one contiguous stretch of acceleration: sums per epoch, from which ENMO, MAD and stillness follow."""

from __future__ import annotations

import numpy as np
from numba import njit

MISSING = -(2**31)
_RAW = "Array(int32, 1, 'C', readonly=True)"
COUNT, CLIPPED, SUM, SQUARES, LOW, HIGH = 0, 1, 2, 5, 8, 11
"""Columns of the integer sums: SUM, SQUARES, LOW and HIGH hold one column for each axis from there on."""


@njit(f"i8({_RAW}, {_RAW}, {_RAW}, f8[::1], f8[::1], f8, f8[::1])", cache=True)
def _norms(x, y, z, scale, offset, clip_g, norm):  # type: ignore[no-untyped-def]
    """Fill `norm` (g, NaN where an axis is missing); returns how many samples are clipped. All at once in registers."""
    kx, ky, kz = scale[0], scale[1], scale[2]
    ox, oy, oz = offset[0], offset[1], offset[2]
    clipped = 0
    for i in range(norm.size):
        there = (x[i] != MISSING) & (y[i] != MISSING) & (z[i] != MISSING)
        gx, gy, gz = x[i] * kx + ox, y[i] * ky + oy, z[i] * kz + oz
        norm[i] = np.sqrt(gx * gx + gy * gy + gz * gz) if there else np.nan
        clipped += there & ((abs(gx) >= clip_g) | (abs(gy) >= clip_g) | (abs(gz) >= clip_g))
    return clipped


@njit(f"void({_RAW}, f8[::1], b1, i8[::1])", cache=True)
def _axis_sums(values, norm, whole, row):  # type: ignore[no-untyped-def]
    """Σ, Σ², minimum and maximum of one axis into `row`, where `norm` is no NaN (nowhere if `whole`)."""
    total, squares, low, high = np.int64(0), np.int64(0), np.int64(2**31), np.int64(MISSING)
    if whole:
        for i in range(values.size):
            v = np.int64(values[i])
            total += v
            squares += v * v
            low = min(low, v)
            high = max(high, v)
    else:
        for i in range(values.size):
            if not np.isnan(norm[i]):
                v = np.int64(values[i])
                total += v
                squares += v * v
                low = min(low, v)
                high = max(high, v)
    row[SUM], row[SQUARES], row[LOW], row[HIGH] = total, squares, low, high


@njit(f"Tuple((f8[:], f8[:,:], i8[:,:]))({_RAW}, {_RAW}, {_RAW}, f8[::1], f8[::1], i8[::1], f8)", cache=True)
def movement(x, y, z, scale, offset, bounds, clip_g):  # type: ignore[no-untyped-def]
    """Sum one stretch of acceleration over epochs, truncating each sample's norm at 1 g before averaging.

    x, y, z: (n,) int32, −2³¹ = missing; scale, offset: (3,) g, so that physical = raw·scale + offset.
    bounds: (m + 1,) int64, ascending: epoch e holds the samples bounds[e] to bounds[e + 1] − 1.
    clip_g: an axis at or beyond it is clipped.
    Returns norm (n,) g, NaN = missing; floats (m, 2): Σ‖a‖ and Σ max(‖a‖ − 1, 0) in g; integers (m, 14): samples,
    clipped samples, and of each axis's raw values Σ, Σ², minimum, maximum (minimum > maximum without a sample).
    Integer sums are exact whatever the order. One scalar for each axis: indexing rows by axis took 1.7 times as long.
    Source: van Hees 2013, 10.1371/journal.pone.0061691 (ENMO).
    """
    m = bounds.size - 1
    norm = np.empty(x.size)
    norm[: bounds[0]], norm[bounds[m] :] = np.nan, np.nan
    floats = np.zeros((m, 2))
    integers = np.empty((m, 14), np.int64)
    for e in range(m):
        low, high = bounds[e], bounds[e + 1]
        r = norm[low:high]
        clipped = _norms(x[low:high], y[low:high], z[low:high], scale, offset, clip_g, r)
        total, above, count = 0.0, 0.0, 0
        for i in range(r.size):
            if not np.isnan(r[i]):
                total += r[i]
                above += max(r[i] - 1.0, 0.0)
                count += 1
        floats[e] = total, above
        integers[e, COUNT], integers[e, CLIPPED] = count, clipped
        whole = count == r.size
        _axis_sums(x[low:high], r, whole, integers[e, 0:])
        _axis_sums(y[low:high], r, whole, integers[e, 1:])
        _axis_sums(z[low:high], r, whole, integers[e, 2:])
    return norm, floats, integers


@njit("f8[:](f8[::1], f8[::1], i8[::1])", cache=True)
def deviation(norm, mean, bounds):  # type: ignore[no-untyped-def]
    """Σ |‖a‖ − mean ‖a‖| of each epoch. norm: (n,) g, NaN = missing; mean, result: (m,) g; bounds as in `movement`."""
    m = bounds.size - 1
    total = np.zeros(m)
    for e in range(m):
        own, centre = 0.0, mean[e]
        for i in range(bounds[e], bounds[e + 1]):
            if not np.isnan(norm[i]):
                own += abs(norm[i] - centre)
        total[e] = own
    return total
