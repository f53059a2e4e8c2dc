"""Stretches of raw samples that carry no signal, and stretches in which the wrist is still."""

from __future__ import annotations

import numpy as np
from numba import njit

_RAW = "Array(int32, 1, 'C', readonly=True)"
_PIECE = 1 << 10  # few pieces reach a rail


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


@njit(f"UniTuple(int32, 2)({_RAW})", cache=True)
def _extremes(values):  # type: ignore[no-untyped-def]
    """The least and the greatest of one or more values."""
    least, greatest = values[0], values[0]
    for i in range(values.size):
        least, greatest = min(least, values[i]), max(greatest, values[i])
    return least, greatest


@njit(f"boolean({_RAW}, int32)", cache=True)
def _holds(values, missing):  # type: ignore[no-untyped-def]
    """Whether any of the values is `missing`."""
    found = False
    for i in range(values.size):
        found |= values[i] == missing
    return found


@njit(f"UniTuple(float64, 2)({_RAW}, int32)", cache=True)
def _moments(values, missing):  # type: ignore[no-untyped-def]
    """Σ and Σ², NaN if one is missing: exact as whole numbers, of 32 bits where they fit; as floats where those of 64
    would overflow."""
    least, greatest = _extremes(values)
    if least <= missing <= greatest and _holds(values, missing):
        return np.nan, np.nan
    most = max(np.float64(greatest), -np.float64(least))
    if most * most * values.size < 2.0**31:
        short, short_squares = np.int32(0), np.int32(0)
        for i in range(values.size):
            short = np.int32(short + values[i])
            short_squares = np.int32(short_squares + np.int32(values[i] * values[i]))
        return np.float64(short), np.float64(short_squares)
    total, squares, floats = np.int64(0), np.int64(0), 0.0
    if most * most * values.size < 2.0**62:
        for i in range(values.size):
            total += values[i]
            squares += np.int64(values[i]) * np.int64(values[i])
        return np.float64(total), np.float64(squares)
    for i in range(values.size):
        total += values[i]
        floats += np.float64(values[i]) * np.float64(values[i])
    return np.float64(total), floats


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
        low, high = block * window, (block + 1) * window
        sum_x, square_x = _moments(x[low:high], missing)
        sum_y, square_y = _moments(y[low:high], missing)
        sum_z, square_z = _moments(z[low:high], missing)
        mean_x, mean_y, mean_z = sum_x / window, sum_y / window, sum_z / window
        worst = max(square_x / window - mean_x**2, square_y / window - mean_y**2, square_z / window - mean_z**2)
        norm = np.sqrt((mean_x * scale + offset) ** 2 + (mean_y * scale + offset) ** 2 + (mean_z * scale + offset) ** 2)
        if worst * scale**2 < (most_sd * norm) ** 2:
            norms[block] = norm
    return norms


@njit(f"int64({_RAW}, int32, float64, float64)", cache=True)
def count_outside(values, missing, low, high):  # type: ignore[no-untyped-def]
    """How many samples are at most `low` or at least `high`; `missing` is none. values: (n,) int32.

    >>> count_outside(np.array([-2, -1, 0, 1, 2, 2], np.int32), -2, -1.0, 2.0)
    3
    """
    count = 0
    for begin in range(0, values.size, _PIECE):
        part = values[begin : begin + _PIECE]
        least, greatest = _extremes(part)
        if least <= low or greatest >= high:
            for i in range(part.size):
                count += ((part[i] <= low) & (part[i] != missing)) | (part[i] >= high)
    return count


@njit(f"int64({_RAW}, int32)", cache=True)
def count_present(values, missing):  # type: ignore[no-untyped-def]
    """How many samples are not `missing`. values: (n,) int32.

    >>> count_present(np.array([-2, 0, 1], np.int32), -2)
    2
    """
    count = 0
    for i in range(values.size):
        count += values[i] != missing
    return count
