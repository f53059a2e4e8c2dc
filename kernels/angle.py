"""The angle of the z axis from the median of each axis over short slots."""

from __future__ import annotations

import numpy as np
from numba import njit

MISSING = -(2**31)
_RAW = "Array(int32, 1, 'C', readonly=True)"


@njit(f"i4({_RAW}, i4)", cache=True)
def _count(values, most):  # type: ignore[no-untyped-def]
    """How many values are at most `most`: 32-bit counters, or it vectorises at half the speed."""
    count = np.int32(0)
    for i in range(values.size):
        count += np.int32(values[i] <= most)
    return count


@njit(f"f8({_RAW}, i4)", cache=True)
def grouped_median(values, guess):  # type: ignore[no-untyped-def]
    """Median of values that were rounded: where inside its step the middle of the samples lies, if each step's samples
    are spread evenly over it. Equal values give that value.

    values: (n,) int32, n ≥ 1, none missing; guess: the step it may be in, which makes it faster only. Where the guess
    is wrong, the range on the median's side is halved until one step is left. Tried a histogram: 2.8 times the time of
    halving, and sorting 1.5 s to compile.

    >>> grouped_median(np.array([7, 7, 8, 9], np.int32), 7)
    7.5
    """
    n = np.int32(values.size)
    low, high = guess, guess
    below, within = np.int32(0), np.int32(0)  # how many are below `low`, and at most `high`
    for i in range(values.size):
        below += np.int32(values[i] < guess)
        within += np.int32(values[i] <= guess)
    if 2 * below >= n:
        for i in range(values.size):
            low = min(low, values[i])
        high, within, below = np.int32(guess - 1), below, np.int32(0)
    elif 2 * within < n:
        for i in range(values.size):
            high = max(high, values[i])
        low, below, within = np.int32(guess + 1), within, n
    while low < high:
        half = np.int32((np.int64(low) + np.int64(high)) >> 1)
        count = _count(values, half)
        if 2 * count >= n:
            high, within = half, count
        else:
            low, below = np.int32(half + 1), count
    return np.int64(low) - 0.5 + (0.5 * n - below) / (within - below)


@njit(f"boolean({_RAW}, {_RAW}, {_RAW})", cache=True)
def _whole(x, y, z):  # type: ignore[no-untyped-def]
    """Whether no sample of the three is missing."""
    gone = False
    for i in range(x.size):
        gone |= (x[i] == MISSING) | (y[i] == MISSING) | (z[i] == MISSING)
    return not gone


@njit(f"Tuple((f8[:], i8[:]))({_RAW}, {_RAW}, {_RAW}, f8[::1], f8[::1], i8[::1])", cache=True)
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
    mid_x, mid_y, mid_z = 0.0, 0.0, 0.0  # a wrist mostly stays where it was
    for slot in range(m):
        low, high = bounds[slot], bounds[slot + 1]
        mx, my, mz, k = x[low:high], y[low:high], z[low:high], high - low
        if not _whole(mx, my, mz):
            k = 0
            for i in range(low, high):
                near[0, k], near[1, k], near[2, k] = x[i], y[i], z[i]
                k += x[i] != MISSING and y[i] != MISSING and z[i] != MISSING
            mx, my, mz = near[0, :k], near[1, :k], near[2, :k]
        if k == 0:
            continue
        mid_x = grouped_median(mx, np.int32(round(mid_x)))
        mid_y = grouped_median(my, np.int32(round(mid_y)))
        mid_z = grouped_median(mz, np.int32(round(mid_z)))
        gx, gy, gz = mid_x * scale[0] + offset[0], mid_y * scale[1] + offset[1], mid_z * scale[2] + offset[2]
        angles[slot] = np.degrees(np.arctan2(gz, np.sqrt(gx * gx + gy * gy)))
        counts[slot] = k
    return angles, counts
