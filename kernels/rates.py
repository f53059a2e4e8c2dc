"""Heart rate and its variability on windows around the epochs of a grid."""

from __future__ import annotations

import numpy as np
from numba import njit

from kernels.arrays import Flags, Floats, Ints

HR_US, RMSSD_US, SDNN_US = 30_000_000, 60_000_000, 300_000_000  # DOMAIN D
HR_NN, HR_COVERAGE = 7, 0.5
STEADY = 0.15
RMSSD_PAIRS, RMSSD_COVERAGE = 30, 0.7
SDNN_NN, SDNN_COVERAGE = 100, 0.7


@njit("UniTuple(f8, 2)(f8[::1], b1[::1], i8, i8)", cache=True)
def median_rate(ibi_ms: Floats, valid: Flags, low: int, high: int) -> tuple[float, float]:
    """60000 / median of the valid intervals low … high−1 (bpm), and the share of HR_US that is steady.

    Steady is what lies within STEADY of the median. The rate is NaN where the intervals are fewer than HR_NN or cover
    less than HR_COVERAGE.
    """
    ordered = np.empty(high - low)
    size, covered = 0, 0.0
    for i in range(low, high):
        if valid[i]:
            value = ibi_ms[i]
            place = size
            while place > 0 and ordered[place - 1] > value:
                ordered[place] = ordered[place - 1]
                place -= 1
            ordered[place] = value
            size += 1
            covered += value
    if size == 0:
        return np.nan, 0.0
    median, steady = 0.5 * (ordered[(size - 1) // 2] + ordered[size // 2]), 0.0
    for value in ordered[:size]:
        if abs(value - median) <= STEADY * median:
            steady += value
    enough = size >= HR_NN and covered * 1000 >= HR_COVERAGE * HR_US
    return 60000 / median if enough else np.nan, min(steady * 1000 / HR_US, 1.0)


@njit("UniTuple(f8, 2)(f8[::1], b1[::1], i8, i8)", cache=True)
def rmssd(ibi_ms: Floats, valid: Flags, low: int, high: int) -> tuple[float, float]:
    """RMSSD (ms) of the intervals low … high−1, and their coverage of RMSSD_US in 0–1.

    Differences are formed between neighbours in the array that are both valid: an interval after a hole must be
    invalid. RMSSD is NaN under RMSSD_PAIRS differences or RMSSD_COVERAGE.
    """
    total, pairs, covered = 0.0, 0, 0.0
    for i in range(low, high):
        if valid[i]:
            covered += ibi_ms[i]
            if i > low and valid[i - 1]:
                total += (ibi_ms[i] - ibi_ms[i - 1]) ** 2
                pairs += 1
    coverage = min(covered * 1000 / RMSSD_US, 1.0)
    if pairs < RMSSD_PAIRS or coverage < RMSSD_COVERAGE:
        return np.nan, coverage
    return np.sqrt(total / pairs), coverage


@njit("f8(f8[::1], b1[::1], i8, i8)", cache=True)
def sdnn(ibi_ms: Floats, valid: Flags, low: int, high: int) -> float:
    """Standard deviation (n−1) of the valid intervals low … high−1, ms; NaN under SDNN_NN or SDNN_COVERAGE."""
    origin, total, squares, count = 0.0, 0.0, 0.0, 0
    for i in range(low, high):
        if valid[i]:
            if count == 0:
                origin = ibi_ms[i]
            d = ibi_ms[i] - origin
            total += d
            squares += d * d
            count += 1
    if count < SDNN_NN or (total + count * origin) * 1000 < SDNN_COVERAGE * SDNN_US:
        return np.nan
    return np.sqrt(max(squares - total * total / count, 0.0) / (count - 1))


@njit("f8[:,::1](i8[::1], f8[::1], b1[::1], b1[::1], i8, i8, i8)", cache=True)
def epoch_rates(t_us: Ints, ibi_ms: Floats, valid: Flags, sure: Flags, start_us: int, step_us: int, n: int) -> Floats:
    """Rates of n epochs of step_us from start_us (UTC µs), each on windows centred on the epoch.

    t_us: (k,) ascending, the beat that ends each interval; ibi_ms: (k,) ms; valid: (k,) NN or not; sure: (k,) NN that
    variability may use. An interval belongs to a window if the beat that ends it lies in it. Returns (5, n): heart rate
    (bpm, 30 s), RMSSD (ms, 60 s), SDNN (ms, 300 s), coverage of sure NN in 60 s (0–1), steady share of 30 s (0–1); NaN
    = missing. DOMAIN D; Task Force 1996, doi
    10.1161/01.CIR.93.5.1043.
    """
    out = np.empty((5, n))
    low, high = np.zeros(3, np.int64), np.zeros(3, np.int64)
    half = np.array([HR_US // 2, RMSSD_US // 2, SDNN_US // 2])
    for epoch in range(n):
        centre = start_us + epoch * step_us + step_us // 2
        for w in range(3):
            while low[w] < t_us.size and t_us[low[w]] < centre - half[w]:
                low[w] += 1
            while high[w] < t_us.size and t_us[high[w]] < centre + half[w]:
                high[w] += 1
        out[0, epoch], out[4, epoch] = median_rate(ibi_ms, valid, low[0], high[0])
        out[1, epoch], out[3, epoch] = rmssd(ibi_ms, sure, low[1], high[1])
        out[2, epoch] = sdnn(ibi_ms, sure, low[2], high[2])
    return out
