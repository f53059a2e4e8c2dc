"""Stretches of raw samples that carry no signal, and stretches in which the wrist is still."""

from __future__ import annotations

import numpy as np
from numba import njit

_RAW = "Array(int32, 1, 'C', readonly=True)"


@njit(f"int64[:, ::1]({_RAW}, {_RAW}, {_RAW}, int32, int64)", cache=True)
def flat_runs(x, y, z, missing, shortest):  # type: ignore[no-untyped-def]
    """(k, 2) int64 begin and end of the runs of ≥ `shortest` samples in which x, y and z all stay identical.

    x, y, z: (n,) int32, the same array thrice for a single signal. A run of `missing` in x is no flat run.
    Looks at what would be the run's end first: where two neighbours before it differ, no run begins before them.

    >>> x = np.array([7, 7, 7, 8, 8], np.int32)
    >>> flat_runs(x, x, x, -1, 3).tolist()
    [[0, 3]]
    """
    n, least = x.shape[0], max(shortest, 1)
    found = np.empty((n // least + 1, 2), dtype=np.int64)
    count, begin = 0, 0
    while begin + least <= n:
        last = begin + least - 1
        i = last
        while i > begin and x[i] == x[i - 1] and y[i] == y[i - 1] and z[i] == z[i - 1]:
            i -= 1
        if i > begin:
            begin = i
            continue
        end = last + 1
        while end < n and x[end] == x[last] and y[end] == y[last] and z[end] == z[last]:
            end += 1
        if x[begin] != missing:
            found[count, 0], found[count, 1] = begin, end
            count += 1
        begin = end
    return found[:count].copy()


@njit(f"float64[::1]({_RAW}, {_RAW}, {_RAW}, int32, int64, float64, float64, float64)", cache=True)
def still_norms(x, y, z, missing, window, scale, offset, most_sd):  # type: ignore[no-untyped-def]
    """(n // window,) float64 norm of the mean vector of each window in which the wrist is still, else NaN.

    x, y, z: (n,) int32; physical = raw·scale + offset. Still: no sample missing, and the standard deviation of each
    axis is below most_sd times the norm (a share, because the unit is what is in question). Source: van Hees 2014,
    10.1152/japplphysiol.00421.2014, with 13 mg at 1 g as a share.
    """
    count = x.shape[0] // window
    norms = np.full(count, np.nan)
    for block in range(count):
        sum_x, sum_y, sum_z, square_x, square_y, square_z = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        whole = True
        for i in range(block * window, (block + 1) * window):
            a, b, c = np.float64(x[i]), np.float64(y[i]), np.float64(z[i])
            whole &= x[i] != missing and y[i] != missing and z[i] != missing
            sum_x += a
            sum_y += b
            sum_z += c
            square_x += a * a
            square_y += b * b
            square_z += c * c
        if not whole:
            continue
        mean_x, mean_y, mean_z = sum_x / window, sum_y / window, sum_z / window
        worst = max(square_x / window - mean_x**2, square_y / window - mean_y**2, square_z / window - mean_z**2)
        norm = np.sqrt((mean_x * scale + offset) ** 2 + (mean_y * scale + offset) ** 2 + (mean_z * scale + offset) ** 2)
        if worst * scale**2 < (most_sd * norm) ** 2:
            norms[block] = norm
    return norms
