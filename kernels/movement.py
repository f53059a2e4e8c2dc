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
    clipped samples, and of each axis's raw values Σ, Σ², minimum, maximum (minimum > maximum without a sample).
    Integer sums are exact whatever the order. One scalar for each axis: indexing rows by axis took 1.7 times as long.
    Source: van Hees 2013, 10.1371/journal.pone.0061691 (ENMO).
    """
    m = bounds.size - 1
    norm = np.full(x.size, np.nan)
    floats = np.zeros((m, 2))
    integers = np.empty((m, 14), np.int64)
    kx, ky, kz = scale[0], scale[1], scale[2]
    ox, oy, oz = offset[0], offset[1], offset[2]
    for e in range(m):
        total, above, count, clipped = 0.0, 0.0, 0, 0
        sx = sy = sz = qx = qy = qz = np.int64(0)
        lx = ly = lz = np.int64(2**31)
        hx = hy = hz = np.int64(MISSING)
        for i in range(bounds[e], bounds[e + 1]):
            rx, ry, rz = np.int64(x[i]), np.int64(y[i]), np.int64(z[i])
            if rx == MISSING or ry == MISSING or rz == MISSING:
                continue
            gx, gy, gz = rx * kx + ox, ry * ky + oy, rz * kz + oz
            r = np.sqrt(gx * gx + gy * gy + gz * gz)
            norm[i] = r
            total += r
            above += max(r - 1.0, 0.0)
            count += 1
            clipped += max(abs(gx), abs(gy), abs(gz)) >= clip_g
            sx, sy, sz = sx + rx, sy + ry, sz + rz
            qx, qy, qz = qx + rx * rx, qy + ry * ry, qz + rz * rz
            lx, ly, lz = min(lx, rx), min(ly, ry), min(lz, rz)
            hx, hy, hz = max(hx, rx), max(hy, ry), max(hz, rz)
        floats[e] = total, above
        integers[e] = count, clipped, sx, sy, sz, qx, qy, qz, lx, ly, lz, hx, hy, hz
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
