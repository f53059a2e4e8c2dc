"""Runs and states over epochs, from which non-wear is decided."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit("Tuple((i8[:], i8[:]))(b1[::1])", cache=True)
def runs(flag):  # type: ignore[no-untyped-def]
    """Starts and ends (half-open) of the runs of true. flag: (n,) bool. Returns two (k,) int64.

    >>> starts, ends = runs(np.array([False, True, True, False, True]))
    >>> starts.tolist(), ends.tolist()
    ([1, 4], [3, 5])
    """
    starts = np.empty(flag.size // 2 + 1, np.int64)
    ends = np.empty(flag.size // 2 + 1, np.int64)
    count = 0
    for i in range(flag.size):
        if flag[i] and (i == 0 or not flag[i - 1]):
            starts[count] = i
        if flag[i] and (i == flag.size - 1 or not flag[i + 1]):
            ends[count] = i + 1
            count += 1
    return starts[:count].copy(), ends[:count].copy()


@njit("b1[:](b1[::1], i8)", cache=True)
def long_runs(flag, least):  # type: ignore[no-untyped-def]
    """Whether each of (n,) bool lies in a run of at least `least` true ones.

    >>> long_runs(np.array([True, False, True, True]), 2).tolist()
    [False, False, True, True]
    """
    out = np.zeros(flag.size, np.bool_)
    starts, ends = runs(flag)
    for k in range(starts.size):
        if ends[k] - starts[k] >= least:
            out[starts[k] : ends[k]] = True
    return out


@njit("Tuple((i8[::1], f8[:,::1], f8[:,::1]))(i8[:], i8[:,:], i8[:,:], i8[::1], i8[::1])", cache=True)
def spreads(count, total, squares, starts, ends):  # type: ignore[no-untyped-def]
    """Samples, mean and standard deviation of each window of epochs, from starts[w] up to, not including, ends[w].

    count: (n,) samples an epoch; total, squares: (n, axes) sums of them, whole numbers, so that none is rounded;
    starts, ends: (m,) in 0 … n. Returns (m,) int64 and twice (m, axes) float64 in the unit of the samples; 0 without.
    """
    m, axes = starts.size, total.shape[1]
    number, mean, sd = np.zeros(m, np.int64), np.zeros((m, axes)), np.zeros((m, axes))
    for w in range(m):
        for e in range(starts[w], ends[w]):
            number[w] += count[e]
        filled = max(number[w], 1)
        for k in range(axes):
            own, square = 0, 0
            for e in range(starts[w], ends[w]):
                own += total[e, k]
                square += squares[e, k]
            mean[w, k] = own / filled
            sd[w, k] = np.sqrt(max(square / filled - mean[w, k] * mean[w, k], 0.0))
    return number, mean, sd


@njit("b1[:](b1[::1], b1[::1])", cache=True)
def latch(off, on):  # type: ignore[no-untyped-def]
    """A state that `off` sets and `on` clears; where both hold, `off` wins. off, on, result: (n,) bool; starts clear.

    >>> latch(np.array([False, True, False, False]), np.array([False, False, False, True])).tolist()
    [False, True, True, False]
    """
    out = np.zeros(off.size, np.bool_)
    state = False
    for i in range(off.size):
        if off[i]:
            state = True
        elif on[i]:
            state = False
        out[i] = state
    return out


@njit("b1[:](b1[::1], i8, f8, i8, f8)", cache=True)
def islands(nonwear, long, long_share, short, short_share):  # type: ignore[no-untyped-def]
    """Turn wear between two non-wear runs into non-wear where it is small beside them.

    nonwear: (n,) bool on regular epochs. A run of wear is small where it is shorter than `long` epochs and than
    `long_share` of the two runs together, or shorter than `short` and than `short_share`. One pass over the original
    runs, so that the order of time does not matter. Source: van Hees 2013, 10.1371/journal.pone.0061691.
    """
    out = nonwear.copy()
    starts, ends = runs(nonwear)
    for k in range(starts.size - 1):
        worn = starts[k + 1] - ends[k]
        beside = (ends[k] - starts[k]) + (ends[k + 1] - starts[k + 1])
        if (worn < long and worn < long_share * beside) or (worn < short and worn < short_share * beside):
            out[ends[k] : starts[k + 1]] = True
    return out
