"""Shape of the pulse wave: what a window's quality is judged by."""

from __future__ import annotations

import numpy as np
from numba import njit

from kernels.arrays import Floats, Ints, Samples

SLOWEST_BPM, FASTEST_BPM = 30.0, 180.0  # Orphanidou 2015 has 40; a sleeper may be slower (DOMAIN F1)
LONGEST_GAP_S = 3.0
IBI_RATIO = 2.2
SAME_BEAT_S = 0.15
LEAST_BEATS = 3
CONSTANT = 1e-12  # share of the power below which a shape is rounding
SIDE = 32  # sums side by side


@njit("f8(f8[::1], f8[::1])", cache=True)
def agreement(a: Floats, b: Floats) -> float:
    """F1 of two detectors: twice the beats within SAME_BEAT_S of each other over the sum of both. a, b: s, ascending.

    >>> float(agreement(np.array([1.0, 2.0, 3.0]), np.array([1.1, 3.2])))
    0.4
    """
    if a.size + b.size == 0:
        return 0.0
    i, j, same = 0, 0, 0
    while i < a.size and j < b.size:
        if abs(a[i] - b[j]) <= SAME_BEAT_S:
            same += 1
            i += 1
            j += 1
        elif a[i] < b[j]:
            i += 1
        else:
            j += 1
    return 2.0 * same / (a.size + b.size)


@njit("f8(f8[::1], f8[:, ::1])", cache=True)
def _skewness(x: Floats, sums: Floats) -> float:
    """`skewness`, with room for sums: (3, SIDE); that many side by side, for one waits for its own last addition.

    The powers are summed about 0, near which a band-passed wave has its mean: one pass (1.8 → 0.7 ms a night).
    """
    n, rest = x.size, x.size - x.size % SIDE
    first, second, third = sums[0], sums[1], sums[2]
    sums[:] = 0.0
    for i in range(0, rest, SIDE):
        row = x[i:]
        for k in range(first.size):
            square = row[k] * row[k]
            first[k] += row[k]
            second[k] += square
            third[k] += square * row[k]
    s1, s2, s3 = first.sum(), second.sum(), third.sum()
    for value in x[rest:]:
        s1, s2, s3 = s1 + value, s2 + value * value, s3 + value * value * value
    mean = s1 / max(n, 1)
    power = s2 - mean * s1
    if power <= CONSTANT * s2:
        return np.nan
    variance = power / n
    return (s3 / n - mean * (3.0 * variance + mean * mean)) / (variance * np.sqrt(variance))


@njit("f8(f8[::1])", cache=True)
def skewness(x: Floats) -> float:
    """Third standardised moment, (1/n)·Σ((x − mean)/sd)³ with sd over n; NaN where x is empty or constant.

    >>> round(float(skewness(np.array([1.0, 2.0, 3.0, 10.0]))), 9)
    1.018233765
    """
    return _skewness(x, np.empty((3, SIDE)))


@njit("UniTuple(b1, 2)(f8[::1], f8, f8)", cache=True)
def feasible(beats: Floats, start: float, end: float) -> tuple[bool, bool]:
    """Whether the beats (s, ascending) of a window [start, end) can be a heart's.

    Returns two flags: the mean rate and every gap are possible; the longest interval is at most IBI_RATIO times
    the shortest. Orphanidou 2015, doi 10.1109/JBHI.2014.2338351; departs from it in SLOWEST_BPM.
    """
    n = beats.size
    if n < LEAST_BEATS or beats[0] - start > LONGEST_GAP_S or end - beats[-1] > LONGEST_GAP_S:
        return False, False
    shortest, longest = np.inf, 0.0
    for i in range(1, n):
        shortest, longest = min(shortest, beats[i] - beats[i - 1]), max(longest, beats[i] - beats[i - 1])
    rate = 60.0 * (n - 1) / (beats[-1] - beats[0])
    possible = SLOWEST_BPM <= rate <= FASTEST_BPM and longest <= LONGEST_GAP_S
    return possible, longest <= IBI_RATIO * shortest


@njit("f8(f8[::1], f8[::1])", cache=True)
def _median_step(x: Floats, ordered: Floats) -> float:
    """Median of the differences of x: (n ≥ 2,), with room for them."""
    for i in range(x.size - 1):
        value = x[i + 1] - x[i]
        place = i
        while place > 0 and ordered[place - 1] > value:
            ordered[place] = ordered[place - 1]
            place -= 1
        ordered[place] = value
    return 0.5 * (ordered[(x.size - 2) // 2] + ordered[(x.size - 1) // 2])


@njit("f8(f8, f8, f8, f8, i8)", cache=True)
def _correlation(level: float, power: float, cross: float, energy: float, n: int) -> float:
    """Pearson's r of n values with others of no mean, from Σx, Σx², Σxy and Σy²; NaN of equal ones."""
    own = power - level * level / n
    return cross / np.sqrt(own * energy) if own > CONSTANT * power and energy > 0 else np.nan


@njit("f8(f8[::1], i8[::1], i8, f8[::1])", cache=True)
def _mean_correlation(x: Floats, lows: Ints, used: int, template: Floats) -> float:
    """Mean correlation of the beats x[low:low + n] with a template of no mean: (n,); lows: (≥ used + 3,).

    Four beats side by side: a sum waits for its own last addition (2.0 → 1.6 ms; all beats of an epoch as lanes needs
    a transposed copy that costs as much). One pass, for the mean of a band-passed beat is small.
    """
    n = template.size
    energy, total = (template * template).sum(), 0.0
    lows[used : used + 3] = lows[0]
    for j in range(0, used, 4):
        a, b, c, d = x[lows[j] :], x[lows[j + 1] :], x[lows[j + 2] :], x[lows[j + 3] :]
        la, lb, lc, ld, pa, pb, pc, pd = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        ca, cb, cc, cd = 0.0, 0.0, 0.0, 0.0
        for i in range(n):
            u, v, w, y, z = a[i], b[i], c[i], d[i], template[i]
            la, lb, lc, ld = la + u, lb + v, lc + w, ld + y
            pa, pb, pc, pd = pa + u * u, pb + v * v, pc + w * w, pd + y * y
            ca, cb, cc, cd = ca + u * z, cb + v * z, cc + w * z, cd + y * z
        total += _correlation(la, pa, ca, energy, n)
        total += _correlation(lb, pb, cb, energy, n) if j + 1 < used else 0.0
        total += _correlation(lc, pc, cc, energy, n) if j + 2 < used else 0.0
        total += _correlation(ld, pd, cd, energy, n) if j + 3 < used else 0.0
    return total / used


@njit("f8(f8[::1], f8[::1], f8[::1], i8[::1])", cache=True)
def _template_correlation(x: Floats, beats: Floats, template: Floats, lows: Ints) -> float:
    """`template_correlation`, with room for a template: (≥ n,) and for places: (≥ k + 3,)."""
    if beats.size < LEAST_BEATS:
        return np.nan
    half = int(_median_step(beats, template) / 2)
    size = 2 * half + 1
    mean = template[:size]
    mean[:] = 0.0
    used = 0
    for b in beats:
        low = int(np.floor(b + 0.5)) - half
        if low >= 0 and low + size <= x.size:
            lows[used] = low
            used += 1
            beat = x[low : low + size]
            for i in range(size):
                mean[i] += beat[i]
    if used < LEAST_BEATS:
        return np.nan
    mean -= mean.sum() / size
    return _mean_correlation(x, lows, used, mean)


@njit("f8(f8[::1], f8[::1])", cache=True)
def template_correlation(x: Floats, beats: Floats) -> float:
    """Mean Pearson correlation of each beat with the mean beat, one median interval long and centred on the peak.

    x: (n,); beats: (k,) ascending fractional sample numbers. Beats that reach beyond x are left out; NaN where fewer
    than LEAST_BEATS remain or a beat is constant. Orphanidou 2015, doi 10.1109/JBHI.2014.2338351.
    """
    return _template_correlation(x, beats, np.empty(x.size + beats.size + 1), np.empty(beats.size + 3, np.int64))


@njit("i8[::1](f8[::1], i8[::1])", cache=True)
def _places(values: Floats, edges: Ints) -> Ints:
    """Number of values (ascending) below each edge (ascending)."""
    places = np.empty(edges.size, np.int64)
    place = 0
    for e in range(edges.size):
        while place < values.size and values[place] < edges[e]:
            place += 1
        places[e] = place
    return places


@njit("f8[:,::1](f8[::1], f8, i8[::1], f8[::1], f8[::1])", cache=True)
def epoch_pulse(x: Floats, fs_hz: float, edges: Ints, beats: Floats, others: Floats) -> Floats:
    """Judge the pulse in each window x[edges[e]:edges[e+1]].

    x: (n,) band-passed, upright; fs_hz: its rate; edges: (m+1,) ascending sample numbers; beats, others: ascending
    fractional sample numbers of the first and the second detector. Returns (5, m): possible (1 or 0), even intervals (1
    or 0), mean template correlation, F1 of the two detectors, skewness; NaN = cannot be said. DOMAIN F1.
    """
    m = edges.size - 1
    out = np.empty((5, m))
    sums, template, lows = np.empty((3, SIDE)), np.empty(x.size + beats.size + 1), np.empty(beats.size + 3, np.int64)
    own_s, others_s = beats / fs_hz, others / fs_hz
    mine, other = _places(beats, edges), _places(others, edges)
    for e in range(m):
        own = slice(mine[e], mine[e + 1])
        out[0, e], out[1, e] = feasible(own_s[own], edges[e] / fs_hz, edges[e + 1] / fs_hz)
        out[2, e] = _template_correlation(x, beats[own], template, lows)
        out[3, e] = agreement(own_s[own], others_s[other[e] : other[e + 1]])
        out[4, e] = _skewness(x[edges[e] : edges[e + 1]], sums)
    return out


@njit(["f8[::1](Array(int32, 1, 'C', readonly=True), i8[::1], i8)", "f8[::1](f8[::1], i8[::1], i8)"], cache=True)
def flat_share(x: Samples, edges: Ints, least: int) -> Floats:
    """Share of each window x[edges[e]:edges[e+1]] that lies in runs of at least `least` equal samples.

    x: (n,); edges: (m+1,) ascending sample numbers; runs are counted window by window. Returns (m,), 0 where empty.
    """
    share = np.zeros(edges.size - 1)
    for e in range(edges.size - 1):
        window = x[edges[e] : edges[e + 1]]
        flat, begin = 0, 0
        while begin + least <= window.size:  # where two neighbours before a run's end differ, none begins before them
            i = begin + least - 1
            while i > begin and window[i] == window[i - 1]:
                i -= 1
            if i > begin:
                begin = i
                continue
            end = begin + least
            while end < window.size and window[end] == window[begin]:
                end += 1
            flat += end - begin
            begin = end
        if window.size > 0:
            share[e] = flat / window.size
    return share


@njit("f8[::1](f8[::1], f8[::1])", cache=True)
def pulse_heights(x: Floats, beats: Floats) -> Floats:
    """Peak minus the lowest sample since the beat before. x: (n,); beats: (k,) ascending fractional sample numbers.

    Returns (k,) float64 in the unit of x, NaN for the first.
    """
    heights = np.full(beats.size, np.nan)
    for b in range(1, beats.size):
        since, top = int(np.floor(beats[b - 1] + 0.5)), int(np.floor(beats[b] + 0.5))
        half = (top + 1 - since) // 2
        early, late = x[since : since + half], x[since + half : top + 1]
        low, other = x[top], x[top]
        for i in range(half):  # two halves side by side: each waits for its own last comparison (1.5 → 0.8 ms)
            low = early[i] if early[i] < low else low
            other = late[i] if late[i] < other else other
        heights[b] = x[top] - min(low, other)
    return heights
