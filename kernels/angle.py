"""The angle of the z axis from the median of each axis over short slots."""

from __future__ import annotations

import numpy as np
from numba import njit

MISSING = -(2**31)
MAX_BINS = 4096


@njit("f8(i4[::1], i4[::1])", cache=True)
def grouped_median(values, bins):  # type: ignore[no-untyped-def]
    """Median of values that were rounded: where inside its step the middle of the samples lies, if each step's samples
    are spread evenly over it. Equal values give that value.

    values: (n,) int32, n ≥ 1, none missing; bins: (k,) int32 of zeros, which it leaves as it found them (a range of k
    steps or more is halved instead).

    >>> grouped_median(np.array([7, 7, 8, 9], np.int32), np.zeros(8, np.int32))
    7.5
    """
    n = values.size
    low, high = np.int64(values[0]), np.int64(values[0])
    for i in range(n):
        low = min(low, np.int64(values[i]))
        high = max(high, np.int64(values[i]))
    if high - low >= bins.size:
        while low < high:  # halve the range: sorting took 1.5 s to compile
            half = (low + high) >> 1
            rank = 0
            for i in range(n):
                rank += values[i] <= half
            if rank > (n - 1) >> 1:
                high = half
            else:
                low = half + 1
        below, here = 0, 0
        for i in range(n):
            below += values[i] < low
            here += values[i] == low
        return low - 0.5 + (0.5 * n - below) / here
    for i in range(n):
        bins[values[i] - low] += 1
    middle, below = low, 0
    while 2 * (below + bins[middle - low]) < n:
        below += bins[middle - low]
        middle += 1
    here = bins[middle - low]
    bins[: high - low + 1] = 0
    return middle - 0.5 + (0.5 * n - below) / here


@njit("Tuple((f8[:], i8[:]))(i4[::1], i4[::1], i4[::1], f8[::1], f8[::1], i8[::1])", cache=True)
def slot_angles(x, y, z, scale, offset, bounds):  # type: ignore[no-untyped-def]
    """atan2(z, √(x² + y²)) of the medians of each slot, in degrees.

    x, y, z: (n,) int32, −2³¹ = missing, then the other axes' samples do not count either; scale, offset: (3,) g;
    bounds: (m + 1,) int64 as in `kernels.movement`. Returns angles (m,) °, 0 without samples, and counts (m,).
    Source: van Hees 2015, 10.1371/journal.pone.0142533.
    """
    m = bounds.size - 1
    angles = np.zeros(m)
    counts = np.zeros(m, np.int64)
    longest = 0
    for slot in range(m):
        longest = max(longest, bounds[slot + 1] - bounds[slot])
    near = np.empty((3, longest), np.int32)
    bins = np.zeros(MAX_BINS, np.int32)
    for slot in range(m):
        k = 0
        for i in range(bounds[slot], bounds[slot + 1]):
            near[0, k], near[1, k], near[2, k] = x[i], y[i], z[i]
            k += x[i] != MISSING and y[i] != MISSING and z[i] != MISSING
        if k == 0:
            continue
        gx = grouped_median(near[0, :k], bins) * scale[0] + offset[0]
        gy = grouped_median(near[1, :k], bins) * scale[1] + offset[1]
        gz = grouped_median(near[2, :k], bins) * scale[2] + offset[2]
        angles[slot] = np.degrees(np.arctan2(gz, np.sqrt(gx * gx + gy * gy)))
        counts[slot] = k
    return angles, counts
