"""Artefacts among beat-to-beat intervals."""

from __future__ import annotations

import numpy as np
from numba import njit

from kernels.arrays import Flags, Floats, Ints, Kinds
from kernels.ordered import exchange, quantile, room
from kernels.rolling import rolling_median

NORMAL, ECTOPIC, LONGSHORT, MISSED, EXTRA = range(5)
ALPHA = 5.2  # Lipponen & Tarvainen 2019: threshold in quartile deviations
REACH = 45  # intervals on both sides that the threshold is taken over: 91 in all
MEDIAN_REACH = 5  # intervals on both sides of the local median: 11 in all
FLOOR_MS = 8.0  # least threshold, so that flat data is not cut to pieces (DOMAIN C6)
C1, C2 = 0.13, 0.17


@njit("f8[::1](f8[::1])", cache=True)
def thresholds(x: Floats) -> Floats:
    """ALPHA quartile deviations of |x| over the 91 values around each, fewer at the ends, at least FLOOR_MS.

    x: (n,) no NaN. Returns (n,) float64 in the unit of x.
    """
    n = x.size
    both = room(2 * REACH + 1)
    now, then = both[0], both[1]
    limits = np.empty(n)
    for i in range(-REACH, n):
        comes, goes = i + REACH, i - REACH - 1
        exchange(now, then, abs(x[goes]) if goes >= 0 else np.inf, abs(x[comes]) if comes < n else np.inf)
        now, then = then, now
        if i >= 0:
            size = min(comes + 1, n) - max(goes + 1, 0)
            spread = (quantile(now, size, 0.75) - quantile(now, size, 0.25)) / 2
            limits[i] = max(ALPHA * spread, FLOOR_MS)
    return limits


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
    med = rolling_median(rr, MEDIAN_REACH, MEDIAN_REACH, 1)
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
