"""Artefacts among beat-to-beat intervals."""

from __future__ import annotations

import numpy as np
from numba import njit

from kernels.arrays import Flags, Floats, Ints, Kinds

NORMAL, ECTOPIC, LONGSHORT, MISSED, EXTRA = range(5)
ALPHA = 5.2  # Lipponen & Tarvainen 2019: threshold in quartile deviations
REACH = 45  # intervals on both sides that the threshold is taken over: 91 in all
MEDIAN_REACH = 5  # intervals on both sides of the local median: 11 in all
FLOOR_MS = 8.0  # least threshold, so that flat data is not cut to pieces (DOMAIN C6)
C1, C2 = 0.13, 0.17


@njit("void(f8[::1], i8, f8)", cache=True)
def _insert(ordered: Floats, size: int, value: float) -> None:
    """Put a value into its place among the first `size` of an ascending array."""
    place = size
    while place > 0 and ordered[place - 1] > value:
        ordered[place] = ordered[place - 1]
        place -= 1
    ordered[place] = value


@njit("void(f8[::1], i8, f8, f8)", cache=True)
def _exchange(ordered: Floats, size: int, old: float, new: float) -> None:
    """Take a value that is there out of the first `size` of an ascending array and put another into its place.

    Tried bisecting for the places: no faster, since every other guess of a branch is wrong.
    """
    out, into = 0, 0
    held = ordered[:size]
    for i in range(held.size):
        out += held[i] < old
        into += held[i] < new
    if into > out:
        into -= 1
        moved = ordered[out : into + 1]
        for i in range(moved.size - 1):
            moved[i] = moved[i + 1]
        moved[moved.size - 1] = new
    else:
        moved = ordered[into : out + 1]
        for i in range(moved.size):
            moved[i], new = new, moved[i]


@njit("f8(f8[::1], i8, f8)", cache=True)
def _quantile(ordered: Floats, size: int, share: float) -> float:
    """Quantile with linear interpolation (type 7) of the first `size` of an ascending array."""
    place = share * (size - 1)
    below = int(place)
    above = min(below + 1, size - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


@njit("i8(f8[::1], i8, f8[::1], i8, i8)", cache=True)
def _slide(ordered: Floats, size: int, x: Floats, centre: int, reach: int) -> int:
    """Move a window over x to its next centre: the values in it stay in ascending order; returns how many they are."""
    comes, goes = centre + reach, centre - reach - 1
    if comes < x.size and goes >= 0:
        _exchange(ordered, size, x[goes], x[comes])
    elif comes < x.size:
        _insert(ordered, size, x[comes])
        size += 1
    elif goes >= 0:  # nothing to come: the one that goes is moved to the end, out of sight
        _exchange(ordered, size, x[goes], np.inf)
        size -= 1
    return size


@njit("f8[::1](f8[::1])", cache=True)
def thresholds(x: Floats) -> Floats:
    """ALPHA quartile deviations of |x| over the 91 values around each, fewer at the ends, at least FLOOR_MS.

    x: (n,) no NaN. Returns (n,) float64 in the unit of x.
    """
    n = x.size
    sizes = np.abs(x)
    ordered = np.empty(2 * REACH + 1)
    size = 0
    for centre in range(-REACH, 0):
        size = _slide(ordered, size, sizes, centre, REACH)
    limits = np.empty(n)
    for i in range(n):
        size = _slide(ordered, size, sizes, i, REACH)
        spread = (_quantile(ordered, size, 0.75) - _quantile(ordered, size, 0.25)) / 2
        limits[i] = max(ALPHA * spread, FLOOR_MS)
    return limits


@njit("f8[::1](f8[::1])", cache=True)
def running_median(x: Floats) -> Floats:
    """Median of the 11 values around each of x: (n,) no NaN, fewer at the ends; of an even number the mean of two."""
    ordered = np.empty(2 * MEDIAN_REACH + 1)
    size = 0
    for centre in range(-MEDIAN_REACH, 0):
        size = _slide(ordered, size, x, centre, MEDIAN_REACH)
    medians = np.empty(x.size)
    for i in range(x.size):
        size = _slide(ordered, size, x, i, MEDIAN_REACH)
        medians[i] = 0.5 * (ordered[(size - 1) // 2] + ordered[size // 2])
    return medians


@njit("i1(i8, f8[::1], f8[::1], f8[::1], f8[::1], f8[::1])", cache=True)
def _long_or_short(j: int, rr: Floats, step: Floats, dev: Floats, med: Floats, limit: Floats) -> int:
    """Class of an interval whose step from its neighbour is too large but not that of an ectopic beat."""
    after = step[j + 1]
    later = step[j + 2] if j + 2 < rr.size else step[j]  # mirrored at the end
    is_long = step[j] > 1 and min(after, later) < -1
    is_short = step[j] < -1 and max(after, later) > 1
    if not (is_long or is_short or abs(dev[j]) > 3):
        return NORMAL
    if is_short and abs(rr[j] + rr[j + 1] - med[j]) < limit[j]:
        return EXTRA
    if is_long and abs(rr[j] / 2 - med[j]) < limit[j]:
        return MISSED
    return LONGSHORT


@njit("i1[::1](f8[::1])", cache=True)
def classify(rr: Floats) -> Kinds:
    """Classify the intervals of one unbroken run.

    rr: (n,) ms, no NaN. Returns (n,) int8: NORMAL, ECTOPIC, LONGSHORT, MISSED (a beat was missed in this interval) or
    EXTRA (its last beat is one too many); the last two intervals are not judged. Raises nothing.
    Lipponen & Tarvainen 2019, doi 10.1080/03091902.2019.1640306, figure 1; departs from it in the floor FLOOR_MS.
    """
    n = rr.size
    kinds = np.zeros(n, np.int8)
    if n < 3:
        return kinds
    step = np.zeros(n)
    for i in range(1, n):
        step[i] = rr[i] - rr[i - 1]
    step /= thresholds(step)
    med = running_median(rr)
    dev = rr - med
    for i in range(n):
        if dev[i] < 0:
            dev[i] *= 2
    limit = thresholds(dev)
    dev /= limit
    i = 0
    while i < n - 2:
        if abs(step[i]) <= 1:
            i += 1
            continue
        before = step[i - 1] if i > 0 else step[1]
        up = step[i] > 1 and max(before, step[i + 1]) < -C1 * step[i] - C2
        down = step[i] < -1 and min(before, step[i + 1]) > -C1 * step[i] + C2
        if up or down:
            kinds[i] = ECTOPIC
            i += 1
            continue
        last = i + 1 if abs(step[i + 1]) < abs(step[i + 2]) else i
        for j in range(i, last + 1):
            kinds[j] = _long_or_short(j, rr, step, dev, med, limit)
        i = last + 1
    return kinds


@njit("i1[::1](f8[::1], i8[::1])", cache=True)
def classify_runs(rr: Floats, offsets: Ints) -> Kinds:
    """`classify` each run rr[offsets[k]:offsets[k+1]] by itself. rr: (n,) ms, no NaN inside a run; (n,) int8."""
    kinds = np.zeros(rr.size, np.int8)
    for k in range(offsets.size - 1):
        kinds[offsets[k] : offsets[k + 1]] = classify(rr[offsets[k] : offsets[k + 1]])
    return kinds


@njit("b1[::1](f8[::1])", cache=True)
def malik(rr: Floats) -> Flags:
    """True where an interval differs by more than 20 % from the raw one before it. rr: (n,) ms, NaN = missing.

    The first is never marked. Task Force 1996, doi 10.1161/01.CIR.93.5.1043 (usually credited to Malik).

    >>> malik(np.array([800.0, 810, 1620, 805, 400, 410, 800, 790])).astype(int).tolist()
    [0, 0, 1, 1, 1, 0, 1, 0]
    """
    marks = np.zeros(rr.size, np.bool_)
    for i in range(1, rr.size):
        marks[i] = abs(rr[i] - rr[i - 1]) > 0.2 * rr[i - 1]
    return marks
