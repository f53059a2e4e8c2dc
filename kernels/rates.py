"""Heart rate and its variability on windows around the epochs of a grid."""

from __future__ import annotations

import numpy as np
from numba import njit

from kernels.arrays import Flags, Floats, Ints
from kernels.ordered import exchange, median, room

HR_US, RMSSD_US, SDNN_US = 30_000_000, 60_000_000, 300_000_000  # DOMAIN D
HR_NN, HR_COVERAGE = 7, 0.5
STEADY = 0.15
RMSSD_PAIRS, RMSSD_COVERAGE = 30, 0.7
SDNN_NN, SDNN_COVERAGE = 100, 0.7


LANES = 16  # windows whose sums are taken side by side: 8 or 32 took a tenth longer


@njit("UniTuple(i8[::1], 2)(i8[::1], i8, i8, i8, i8)", cache=True)
def windows(t_us: Ints, start_us: int, step_us: int, n: int, width_us: int) -> tuple[Ints, Ints]:
    """First index, and the one after the last, of the times that lie in windows around n epochs: two (n,) int64.

    t_us: (k,) ascending; epochs of step_us from start_us.
    """
    low, high = np.empty(n, np.int64), np.empty(n, np.int64)
    first, end = 0, 0
    for w in range(n):
        begin_us = start_us + w * step_us + step_us // 2 - width_us // 2
        while first < t_us.size and t_us[first] < begin_us:
            first += 1
        while end < t_us.size and t_us[end] < begin_us + width_us:
            end += 1
        low[w], high[w] = first, end
    return low, high


@njit("UniTuple(f8[::1], 2)(f8[::1], i8[::1], i8[::1])", cache=True)
def median_rates(nn_ms: Floats, low: Ints, high: Ints) -> tuple[Floats, Floats]:
    """60000 / median of nn_ms[low[w]:high[w]] (bpm), and the share of HR_US that is steady: two (n,) float64.

    low, high: (n,) ascending. Steady is what lies within STEADY of the median. The rate is NaN where the intervals are
    fewer than HR_NN or cover less than HR_COVERAGE.
    """
    n, widest = low.size, 0
    for w in range(n):
        widest = max(widest, high[w] - low[w])
    both = room(widest)
    now, then = both[0], both[1]
    goes, comes = 0, 0  # the intervals goes … comes − 1 are held
    rates, steady = np.full(n, np.nan), np.zeros(n)
    for w in range(n):
        while goes < low[w] or comes < high[w]:
            leaves, enters = goes < min(low[w], comes), comes < high[w]
            exchange(now, then, nn_ms[goes] if leaves else np.inf, nn_ms[comes] if enters else np.inf)
            now, then = then, now
            goes, comes = goes + int(leaves), comes + int(enters)
        size = high[w] - low[w]
        if size == 0:
            continue
        middle, near, covered = median(now, size), 0.0, 0.0
        for value in now[1 : 1 + size]:
            near += value if abs(value - middle) <= STEADY * middle else 0.0
        for value in nn_ms[low[w] : high[w]]:
            covered += value
        steady[w] = min(near * 1000 / HR_US, 1.0)
        if size >= HR_NN and covered * 1000 >= HR_COVERAGE * HR_US:
            rates[w] = 60000 / middle
    return rates, steady


@njit("UniTuple(f8[::1], 2)(f8[::1], i8[::1], i8[::1], i8[::1])", cache=True)
def rmssds(nn_ms: Floats, places: Ints, low: Ints, high: Ints) -> tuple[Floats, Floats]:
    """RMSSD (ms) of nn_ms[low[w]:high[w]], and their coverage of RMSSD_US in 0–1: two (n,) float64.

    places: (k,) where each NN stood among all intervals: differences are formed between neighbours there. RMSSD is NaN
    under RMSSD_PAIRS differences or RMSSD_COVERAGE.
    """
    squares, pairs = np.zeros(nn_ms.size), np.zeros(nn_ms.size, np.int64)  # of the pair that ends here; pairs so far
    for i in range(1, nn_ms.size):
        pair = places[i] == places[i - 1] + 1
        squares[i] = (nn_ms[i] - nn_ms[i - 1]) ** 2 if pair else 0.0
        pairs[i] = pairs[i - 1] + pair
    found, coverage = np.full(low.size, np.nan), np.zeros(low.size)
    for w in range(low.size):
        if high[w] == low[w]:
            continue
        covered, total = nn_ms[low[w]], 0.0
        for i in range(low[w] + 1, high[w]):
            covered += nn_ms[i]
            total += squares[i]
        count = pairs[high[w] - 1] - pairs[low[w]]
        coverage[w] = min(covered * 1000 / RMSSD_US, 1.0)
        if count >= RMSSD_PAIRS and coverage[w] >= RMSSD_COVERAGE:
            found[w] = np.sqrt(total / count)
    return found, coverage


@njit("f8[::1](f8[::1], i8[::1], i8[::1])", cache=True)
def sdnns(nn_ms: Floats, low: Ints, high: Ints) -> Floats:
    """Standard deviation (n−1) of nn_ms[low[w]:high[w]], (n,) float64 ms; NaN under SDNN_NN or SDNN_COVERAGE.

    low, high: (n,) ascending. Sums from the window's first NN, in order; a window that has not begun or is over adds 0.
    """
    found = np.full(low.size, np.nan)
    origins, totals, squares = np.zeros(LANES), np.zeros(LANES), np.zeros(LANES)
    for first in range(0, low.size, LANES):
        begin, end = low[first : first + LANES], high[first : first + LANES]
        totals[:], squares[:] = 0.0, 0.0
        for w in range(begin.size):
            origins[w] = nn_ms[begin[w]] if end[w] > begin[w] else 0.0
        for i in range(begin[0], end[-1]):
            nn = nn_ms[i]
            for w in range(begin.size):
                d = nn - origins[w] if (i >= begin[w]) & (i < end[w]) else 0.0
                totals[w] += d
                squares[w] += d * d
        for w in range(begin.size):
            count, total = end[w] - begin[w], totals[w]
            if count >= SDNN_NN and (total + count * origins[w]) * 1000 >= SDNN_COVERAGE * SDNN_US:
                found[first + w] = np.sqrt(max(squares[w] - total * total / count, 0.0) / (count - 1))
    return found


def epoch_rates(t_us: Ints, ibi_ms: Floats, valid: Flags, sure: Flags, start_us: int, step_us: int, n: int) -> Floats:
    """Rates of n epochs of step_us from start_us (UTC µs), each on windows centred on the epoch.

    t_us: (k,) ascending, the beat that ends each interval; ibi_ms: (k,) ms; valid: (k,) NN or not; sure: (k,) NN that
    variability may use. An interval belongs to a window if the beat that ends it lies in it; differences are formed
    between neighbours that are both sure: an interval after a hole must not be. Returns (5, n): heart rate (bpm, 30 s),
    RMSSD (ms, 60 s), SDNN (ms, 300 s), coverage of sure NN in 60 s (0–1), steady share of 30 s (0–1); NaN = missing.
    DOMAIN D; Task Force 1996, doi 10.1161/01.CIR.93.5.1043. Not compiled: its parts are.
    """
    out = np.empty((5, n))
    places = np.flatnonzero(valid)
    low, high = windows(t_us[places], start_us, step_us, n, HR_US)
    out[0], out[4] = median_rates(ibi_ms[places], low, high)
    places = np.flatnonzero(sure)
    t_us, nn_ms = t_us[places], ibi_ms[places]
    low, high = windows(t_us, start_us, step_us, n, RMSSD_US)
    out[1], out[3] = rmssds(nn_ms, places, low, high)
    low, high = windows(t_us, start_us, step_us, n, SDNN_US)
    out[2] = sdnns(nn_ms, low, high)
    return out
