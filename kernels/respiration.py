"""Breathing from what it does to the pulse: one value a beat, resampled, and breaths counted in windows."""

from __future__ import annotations

import numpy as np
from numba import njit

from kernels.arrays import Floats, Ints, Kinds

THRESHOLD = 0.2  # Schäfer & Kratky 2008: share of the maxima's upper quartile that a breath reaches
LEAST_BREATHS = 2
MOST_SPREAD, MOST_DIFFERENCE = 4.0, 3.0  # brpm; Karlen 2013 for three rates, DOMAIN D for two


@njit("void(i8[::1], f8[:,:], i8, i8, i8, f8[:,::1])", cache=True)
def resample(t_us: Ints, series: Floats, first_us: int, step_us: int, pad: int, out: Floats) -> None:
    """Straight lines between points, at n times from first_us, step_us apart; held before the first and after the last.

    t_us: (k ≥ 1,) strictly ascending; series: (r, k), no NaN. Writes out: (r, pad + n + pad) float64 in the unit of
    series, with pad < n samples of odd reflection at both ends.
    """
    n = out.shape[1] - 2 * pad
    above, last = 0, t_us.size - 1
    for i in range(n):
        now = first_us + i * step_us
        while above <= last and t_us[above] <= now:
            above += 1
        below, up = max(above - 1, 0), min(above, last)
        share = (now - t_us[below]) / (t_us[up] - t_us[below]) if up > below else 0.0
        for r in range(series.shape[0]):
            out[r, pad + i] = series[r, below] + share * (series[r, up] - series[r, below])
    for r in range(series.shape[0]):
        for k in range(1, pad + 1):
            out[r, pad - k] = 2 * out[r, pad] - out[r, pad + k]
            out[r, pad + n - 1 + k] = 2 * out[r, pad + n - 1] - out[r, pad + n - 1 - k]


@njit("f8(f8[::1])", cache=True)
def upper_quartile(x: Floats) -> float:
    """Third quartile (linear interpolation, type 7) of x: (n ≥ 1,), which is put in order."""
    for i in range(1, x.size):
        value, place = x[i], i
        while place > 0 and x[place - 1] > value:
            x[place] = x[place - 1]
            place -= 1
        x[place] = value
    place = int(0.75 * (x.size - 1))
    above = min(place + 1, x.size - 1)
    return x[place] + (0.75 * (x.size - 1) - place) * (x[above] - x[place])


@njit("f8[::1](f8[::1], f8, i8[::1], i8)", cache=True)
def count_breaths(x: Floats, fs_hz: float, starts: Ints, size: int) -> Floats:
    """Breathing rate in each window x[starts[w]:starts[w]+size] by counting breaths, in breaths a minute.

    A breath is the time between two successive maxima above THRESHOLD of the upper quartile of the window's maxima, if
    exactly one negative minimum lies between them. x: (n,) band-passed; fs_hz: its rate; starts: (m,) ascending,
    windows inside x. Returns (m,) float64, 60 over the mean breath; NaN under LEAST_BREATHS breaths. Raises nothing.
    Schäfer & Kratky 2008, doi 10.1007/s10439-007-9428-1 ("original" count); Charlton 2016, doi
    10.1088/0967-3334/37/4/610.
    """
    turns = np.empty(x.size, np.int64)
    k = 0
    for i in range(1, x.size - 1):
        turns[k] = i
        k += (x[i] > x[i - 1]) != (x[i] < x[i + 1])  # no branch: it would be guessed wrong at every turn
    rates = np.full(starts.size, np.nan)
    maxima = np.empty(size)
    first = 0
    for w in range(starts.size):
        while first < k and turns[first] <= starts[w]:
            first += 1
        last, tops = first, 0
        while last < k and turns[last] < starts[w] + size - 1:
            if x[turns[last]] > x[turns[last] - 1]:
                maxima[tops] = x[turns[last]]
                tops += 1
            last += 1
        if tops <= LEAST_BREATHS:
            continue
        least = THRESHOLD * upper_quartile(maxima[:tops])
        before, lows, breaths, total = -1, 0, 0, 0
        for i in turns[first:last]:
            if x[i] < x[i - 1]:
                lows += x[i] < 0
            elif x[i] > least:
                if before >= 0 and lows == 1:
                    breaths += 1
                    total += i - before
                before, lows = i, 0
        if breaths >= LEAST_BREATHS:
            rates[w] = 60.0 * fs_hz * breaths / total
    return rates


@njit("Tuple((f8[::1], i1[::1]))(f8[:,::1])", cache=True)
def fuse(rates: Floats) -> tuple[Floats, Kinds]:
    """Smart fusion of three estimates: their mean where they agree.

    rates: (3, n) brpm, NaN = none. Three agree if their standard deviation (n−1) is at most MOST_SPREAD, two if they
    differ by at most MOST_DIFFERENCE; one is not enough. Returns (n,) float64 brpm, NaN = none, and (n,) int8: how many
    estimates there were. Karlen 2013, doi 10.1109/TBME.2013.2246160; the rule for two is ours.

    >>> fuse(np.array([[15.0, 10.0, 15.0], [16.0, 15.0, 17.0], [17.0, 20.0, np.nan]]))[0].tolist()
    [16.0, nan, 16.0]
    """
    n = rates.shape[1]
    fused, number = np.full(n, np.nan), np.zeros(n, np.int8)
    for e in range(n):
        total, lowest, highest = 0.0, np.inf, -np.inf
        for r in range(3):
            if not np.isnan(rates[r, e]):
                number[e] += 1
                total += rates[r, e]
                lowest, highest = min(lowest, rates[r, e]), max(highest, rates[r, e])
        if number[e] < 2:
            continue
        mean = total / number[e]
        spread = 0.0
        for r in range(3):
            if number[e] == 3:
                spread += (rates[r, e] - mean) ** 2
        agree = spread <= 2 * MOST_SPREAD**2 if number[e] == 3 else highest - lowest <= MOST_DIFFERENCE
        if agree:
            fused[e] = mean
    return fused, number
