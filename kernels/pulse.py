"""Shape of the pulse wave: what a window's quality is judged by."""

from __future__ import annotations

import numpy as np
from numba import njit

from kernels.arrays import Floats, Ints

SLOWEST_BPM, FASTEST_BPM = 30.0, 180.0  # Orphanidou 2015 has 40; a sleeper may be slower (DOMAIN F1)
LONGEST_GAP_S = 3.0
IBI_RATIO = 2.2
SAME_BEAT_S = 0.15
LEAST_BEATS = 3
CONSTANT = 1e-12  # share of a beat's power below which its shape is rounding


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


@njit("f8(f8, f8, i8)", cache=True)
def _standardised(second: float, third: float, n: int) -> float:
    """Third standardised moment from Σ(x − mean)² and Σ(x − mean)³ of n values; NaN of equal ones."""
    if second <= 0:
        return np.nan
    variance = second / n
    return third / n / (variance * np.sqrt(variance))


@njit("f8(f8[::1])", cache=True)
def skewness(x: Floats) -> float:
    """Third standardised moment, (1/n)·Σ((x − mean)/sd)³ with sd over n; NaN where x is empty or constant.

    >>> round(float(skewness(np.array([1.0, 2.0, 3.0, 10.0]))), 9)
    1.018233765
    """
    if x.size == 0:
        return np.nan
    mean = x.sum() / x.size
    second, third = 0.0, 0.0
    for value in x:
        d = value - mean
        second += d * d
        third += d * d * d
    return _standardised(second, third, x.size)


@njit("UniTuple(f8, 4)(f8[::1], f8[::1], f8[::1], f8[::1], i8)", cache=True)
def _four_skewnesses(a: Floats, b: Floats, c: Floats, d: Floats, n: int) -> tuple[float, float, float, float]:
    """`skewness` of the first n ≥ 1 of each, side by side: a sum waits for its own last addition (3.4 → 1.7 ms)."""
    ma, mb, mc, md = 0.0, 0.0, 0.0, 0.0
    for i in range(n):
        ma, mb, mc, md = ma + a[i], mb + b[i], mc + c[i], md + d[i]
    ma, mb, mc, md = ma / n, mb / n, mc / n, md / n
    a2, b2, c2, d2, a3, b3, c3, d3 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(n):
        ea, eb, ec, ed = a[i] - ma, b[i] - mb, c[i] - mc, d[i] - md
        sa, sb, sc, sd = ea * ea, eb * eb, ec * ec, ed * ed
        a2, b2, c2, d2 = a2 + sa, b2 + sb, c2 + sc, d2 + sd
        a3, b3, c3, d3 = a3 + sa * ea, b3 + sb * eb, c3 + sc * ec, d3 + sd * ed
    return _standardised(a2, a3, n), _standardised(b2, b3, n), _standardised(c2, c3, n), _standardised(d2, d3, n)


@njit("f8[::1](f8[::1], i8[::1])", cache=True)
def skewnesses(x: Floats, edges: Ints) -> Floats:
    """`skewness` of each window x[edges[e]:edges[e+1]]: (m,)."""
    m = edges.size - 1
    out = np.empty(m)
    e = 0
    while e < m:
        low, size = edges[e], edges[e + 1] - edges[e]
        equal = size > 0 and e + 4 <= m
        for k in range(1, 4):
            equal = equal and edges[e + k + 1] - edges[e + k] == size
        if equal:
            a, b, c, d = x[low:], x[low + size :], x[low + 2 * size :], x[low + 3 * size :]
            out[e], out[e + 1], out[e + 2], out[e + 3] = _four_skewnesses(a, b, c, d, size)
            e += 4
        else:
            out[e] = skewness(x[low : low + size])
            e += 1
    return out


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


@njit("f8(f8[::1])", cache=True)
def median_step(x: Floats) -> float:
    """Median of the differences of x: (n ≥ 2,)."""
    ordered = np.empty(x.size - 1)
    for i in range(ordered.size):
        value = x[i + 1] - x[i]
        place = i
        while place > 0 and ordered[place - 1] > value:
            ordered[place] = ordered[place - 1]
            place -= 1
        ordered[place] = value
    return 0.5 * (ordered[(ordered.size - 1) // 2] + ordered[ordered.size // 2])


@njit("f8(f8[::1], f8[::1])", cache=True)
def template_correlation(x: Floats, beats: Floats) -> float:
    """Mean Pearson correlation of each beat with the mean beat, one median interval long and centred on the peak.

    x: (n,); beats: (k,) ascending fractional sample numbers. Beats that reach beyond x are left out; NaN where fewer
    than LEAST_BEATS remain or a beat is constant. Orphanidou 2015, doi 10.1109/JBHI.2014.2338351.
    """
    if beats.size < LEAST_BEATS:
        return np.nan
    half = int(median_step(beats) / 2)
    size = 2 * half + 1
    lows = np.empty(beats.size, np.int64)
    used = 0
    template = np.zeros(size)
    for b in beats:
        low = int(np.floor(b + 0.5)) - half
        if low >= 0 and low + size <= x.size:
            lows[used] = low
            used += 1
            beat = x[low : low + size]
            for i in range(size):
                template[i] += beat[i]
    if used < LEAST_BEATS:
        return np.nan
    template -= template.sum() / size
    energy = (template * template).sum()
    total = 0.0
    for low in lows[:used]:
        beat = x[low : low + size]
        level, power, cross = 0.0, 0.0, 0.0
        for i in range(size):  # one pass: the template has no mean, and that of a band-passed beat is small
            level += beat[i]
            power += beat[i] * beat[i]
            cross += beat[i] * template[i]
        own = power - level * level / size
        if own <= CONSTANT * power or energy <= 0:
            return np.nan
        total += cross / np.sqrt(own * energy)
    return total / used


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
    out[4] = skewnesses(x, edges)
    mine, other = _places(beats, edges), _places(others, edges)
    for e in range(m):
        own = beats[mine[e] : mine[e + 1]]
        out[0, e], out[1, e] = feasible(own / fs_hz, edges[e] / fs_hz, edges[e + 1] / fs_hz)
        out[2, e] = template_correlation(x, own)
        out[3, e] = agreement(own / fs_hz, others[other[e] : other[e + 1]] / fs_hz)
    return out


@njit("f8[::1](f8[::1], i8[::1], i8)", cache=True)
def flat_share(x: Floats, edges: Ints, least: int) -> Floats:
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
        top = int(np.floor(beats[b] + 0.5))
        trough = x[top]
        for i in range(int(np.floor(beats[b - 1] + 0.5)), top):
            trough = min(trough, x[i])
        heights[b] = x[top] - trough
    return heights
