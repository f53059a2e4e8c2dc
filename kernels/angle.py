"""The angle of the z axis from the rolling median of each axis."""

from __future__ import annotations

import numpy as np
from numba import njit

MISSING = -(2**31)
MAX_BINS = 65536


@njit("i4[:](i4[::1], i8)", cache=True)
def rolling_median(values, half):  # type: ignore[no-untyped-def]
    """Median of the samples present within ±half samples, by a sliding histogram; ends use the part that exists.

    values: (n,) int32, −2³¹ = missing. Returns (n,) int32: the lower of the middle two where their number is even,
    missing where the sample itself is missing. Ranges of more than 65,536 steps are coarsened by a power of two.
    Missing samples lie in a bin above all others (tried branches on a −1 instead: 20 ms for a night against 12).

    >>> rolling_median(np.array([1, 9, 2, 3], np.int32), 1).tolist()
    [1, 2, 3, 2]
    """
    n = values.size
    out = np.full(n, MISSING, np.int32)
    low, high = np.int64(2**31), np.int64(MISSING)
    for i in range(n):
        if values[i] != MISSING:
            low = min(low, values[i])
            high = max(high, values[i])
    if low > high:
        return out
    shift = 0
    while ((high - low) >> shift) >= MAX_BINS:
        shift += 1
    gone = np.uint64(((high - low) >> shift) + 1)
    bins = np.full(n, gone, np.uint32)
    for i in range(n):
        if values[i] != MISSING:
            bins[i] = (values[i] - low) >> shift
    histogram = np.zeros(gone + np.uint64(1), np.int32)
    middle, below, count = np.uint64(0), 0, 0
    for i in range(-half, n):
        if i + half < n:
            entering = bins[i + half]
            histogram[entering] += 1
            below += entering < middle
            count += entering != gone
        if i - half - 1 >= 0:
            leaving = bins[i - half - 1]
            histogram[leaving] -= 1
            below -= leaving < middle
            count -= leaving != gone
        if i < 0 or count == 0:
            continue
        rank = (count - 1) >> 1
        while below > rank:
            middle -= np.uint64(1)
            below -= histogram[middle]
        while below + histogram[middle] <= rank:
            below += histogram[middle]
            middle += np.uint64(1)
        if bins[i] != gone:
            out[i] = low + (np.int64(middle) << shift)
    return out


@njit("Tuple((f8[:], i8[:]))(i4[::1], i4[::1], i4[::1], f8[::1], f8[::1], i8[::1])", cache=True)
def angle_sums(x, y, z, scale, offset, bounds):  # type: ignore[no-untyped-def]
    """Sum over slots of atan2(z, √(x² + y²)), in degrees.

    x, y, z: (n,) int32, −2³¹ = missing (rolling medians, as a rule); scale, offset: (3,) g; bounds: (m + 1,) int64 as
    in `kernels.movement`. Returns sums (m,) ° and counts (m,). The angle is computed only where the vector changed.
    Source: van Hees 2015, 10.1371/journal.pone.0142533.
    """
    m = bounds.size - 1
    sums = np.zeros(m)
    counts = np.zeros(m, np.int64)
    last_x, last_y, last_z = MISSING, MISSING, MISSING
    angle = 0.0
    for slot in range(m):
        total = 0.0
        for i in range(bounds[slot], bounds[slot + 1]):
            if x[i] == MISSING or y[i] == MISSING or z[i] == MISSING:
                continue
            if x[i] != last_x or y[i] != last_y or z[i] != last_z:
                last_x, last_y, last_z = x[i], y[i], z[i]
                gx = last_x * scale[0] + offset[0]
                gy = last_y * scale[1] + offset[1]
                gz = last_z * scale[2] + offset[2]
                angle = np.degrees(np.arctan2(gz, np.sqrt(gx * gx + gy * gy)))
            total += angle
            counts[slot] += 1
        sums[slot] = total
    return sums, counts
