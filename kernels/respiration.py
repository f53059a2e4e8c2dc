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

    t_us: (k ≥ 1,) strictly ascending; series: (3, k), no NaN. Writes out: (3, pad + n + pad) float64 in the unit of
    series, with pad < n samples of odd reflection at both ends. From point to point, and the three written out: asking
    at each time which points it lies between, or a loop over the three, takes twice the time.
    """
    n, last, done = out.shape[1] - 2 * pad, t_us.size - 1, 0
    for above in range(t_us.size + 1):
        below, up = max(above - 1, 0), min(above, last)
        end = min(max((t_us[up] - first_us + step_us - 1) // step_us, 0), n) if above <= last else n
        begin_us, width_us = t_us[below], max(t_us[up] - t_us[below], 1)
        x, y, z = series[0, below], series[1, below], series[2, below]
        dx, dy, dz = series[0, up] - x, series[1, up] - y, series[2, up] - z
        for i in range(done, end):
            share = (first_us + i * step_us - begin_us) / width_us
            out[0, pad + i], out[1, pad + i], out[2, pad + i] = x + share * dx, y + share * dy, z + share * dz
        done = max(done, end)
    for row in out:
        for k in range(1, pad + 1):
            row[pad - k] = 2 * row[pad] - row[pad + k]
            row[pad + n - 1 + k] = 2 * row[pad + n - 1] - row[pad + n - 1 - k]


@njit("f8(f8[::1])", cache=True)
def upper_quartile(x: Floats) -> float:
    """Third quartile (linear interpolation, type 7) of x: (n ≥ 1,), whose highest quarter is put in order.

    The highest of what is left goes last, and so on: without a branch, a third of the time of a sort by insertion.
    """
    place = int(0.75 * (x.size - 1))
    for last in range(x.size - 1, max(place - 1, 0), -1):
        highest = x[0]
        for i in range(last):
            x[i], highest = min(highest, x[i + 1]), max(highest, x[i + 1])
        x[last] = highest
    above = min(place + 1, x.size - 1)
    return x[place] + (0.75 * (x.size - 1) - place) * (x[above] - x[place])


@njit("UniTuple(i8[::1], 2)(f8[::1])", cache=True)
def _maxima(x: Floats) -> tuple[Ints, Ints]:
    """Places of the maxima of x, and how many negative minima lie before each. No branch: it would be guessed wrong."""
    turns, k = np.empty(x.size, np.int64), 0
    rose = x.size > 1 and x[1] > x[0]
    for i in range(1, x.size - 1):
        rises = x[i + 1] > x[i]
        turns[k] = i
        k += rose != rises
        rose = rises
    places, lows, tops, low = np.empty(k, np.int64), np.empty(k, np.int64), 0, 0
    for i in turns[:k]:
        places[tops], lows[tops] = i, low
        tops += x[i] > x[i - 1]
        low += x[i] <= x[i - 1] and x[i] < 0
    return places[:tops], lows[:tops]


@njit("f8[::1](f8[::1], f8, i8[::1], i8)", cache=True)
def count_breaths(x: Floats, fs_hz: float, starts: Ints, size: int) -> Floats:
    """Breathing rate in each window x[starts[w]:starts[w]+size] by counting breaths, in breaths a minute.

    A breath is the time between two successive maxima above THRESHOLD of the upper quartile of the window's maxima, if
    exactly one negative minimum lies between them. x: (n,) band-passed; fs_hz: its rate; starts: (m,) ascending,
    windows inside x. Returns (m,) float64, 60 over the mean breath; NaN under LEAST_BREATHS breaths. Raises nothing.
    Schäfer & Kratky 2008, doi 10.1007/s10439-007-9428-1 ("original" count); Charlton 2016, doi
    10.1088/0967-3334/37/4/610.
    """
    tops, lows = _maxima(x)
    rates = np.full(starts.size, np.nan)
    maxima = np.empty(size)
    first, last = 0, 0
    for w in range(starts.size):
        while first < tops.size and tops[first] <= starts[w]:
            first += 1
        last = max(last, first)
        while last < tops.size and tops[last] < starts[w] + size - 1:
            last += 1
        n = last - first
        if n <= LEAST_BREATHS:
            continue
        for i in range(n):
            maxima[i] = x[tops[first + i]]
        least = THRESHOLD * upper_quartile(maxima[:n])
        before, lows_before, breaths, total = 0, -2, 0, 0
        for j in range(first, last):
            high = x[tops[j]] > least
            breath = high and lows[j] - lows_before == 1
            breaths += breath
            total += tops[j] - before if breath else 0
            before, lows_before = (tops[j], lows[j]) if high else (before, lows_before)
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
