"""Seasonal and trend decomposition by local regression (STL), one season, not robust.

Cleveland et al. 1990, Journal of Official Statistics 6:3. Without robustness the weights of a local regression depend
on places only, so that they are computed once and each smoothing is a weighted sum, taken over many places at a time.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from kernels.sums import gather

SEASONAL = 11
"""Cycles that a cycle-subseries smoother looks at (as forecast::mstl and MSTL of statsforecast)."""
PASSES = 5


@njit("i8(i8)", cache=True)
def trend_length(season):  # type: ignore[no-untyped-def]
    """Hours that the trend smoother looks at: the odd number at or above 1.5·season / (1 − 1.5 / SEASONAL)."""
    length = int(np.ceil(1.5 * season / (1.0 - 1.5 / SEASONAL)))
    return length + 1 - length % 2


@njit("f8[:, ::1](i8, i8, i8)", cache=True)
def weights(points, length, degree):  # type: ignore[no-untyped-def]
    """Local regression of `length` over `points` equidistant places, by tricube weights.

    Returns (width + 2, width) float64, width = min(points, length): in row r the weights of the window's places for the
    value at place r − 1; the first and last row are for one before and one after the window.
    """
    width = min(points, length)
    table = np.zeros((width + 2, width))
    for r in range(width + 2):
        at = r - 1.0
        reach = max(at, width - 1.0 - at) + max(length - points, 0) // 2
        total = 0.0
        for k in range(width):
            distance = abs(k - at)
            if distance <= 0.999 * reach:
                ratio = distance / reach if distance > 0.001 * reach else 0.0
                table[r, k] = (1.0 - ratio * ratio * ratio) ** 3
                total += table[r, k]
        centre, square = 0.0, 0.0
        for k in range(width):
            table[r, k] /= total
            centre += table[r, k] * k
        for k in range(width):
            square += table[r, k] * (k - centre) ** 2
        if degree > 0 and np.sqrt(square) > 0.001 * (points - 1.0):
            for k in range(width):
                table[r, k] *= 1.0 + (at - centre) / square * (k - centre)
    return table


@njit("void(f8[::1], f8[:, ::1], f8[::1])", cache=True)
def smooth(x, turned, out):  # type: ignore[no-untyped-def]
    """Local regression of x: (n,) at each of its places, into out: (n,). turned: `weights` transposed."""
    width = turned.shape[0]
    half, last = width // 2, x.size - width
    flat = turned.ravel()
    gather(flat[1:], width + 2, half, x[:width], out)
    gather(x, 1, last + 1, turned[:, half + 1].copy(), out[half:])
    gather(flat[half + 2 :], width + 2, width - half - 1, x[last:], out[last + half + 1 :])


@njit("void(f8[::1], i8, i8, i8, f8[:, ::1], f8[::1])", cache=True)
def smooth_cycles(x, season, low, high, table, out):  # type: ignore[no-untyped-def]
    """Smooth the subseries of phases low … high − 1 (all of one length) over their cycles, one cycle beyond each end.

    x: (n,); out: (n + 2·season,), value i of which is for the hour i − season.
    """
    cycles = (x.size - low + season - 1) // season
    width = table.shape[1]
    half = width // 2
    for c in range(-1, cycles + 1):
        first = min(max(c - half, 0), cycles - width)
        target = out[(c + 1) * season + low :]
        gather(x[first * season + low :], season, high - low, table[c - first + 1], target)


@njit("void(f8[::1], f8[::1], f8[::1])", cache=True)
def average(x, ones, out):  # type: ignore[no-untyped-def]
    """Means of all runs of `ones.size`: out[: x.size − ones.size + 1]."""
    n = x.size - ones.size + 1
    gather(x, 1, n, ones, out)
    for i in range(n):
        out[i] /= ones.size


@njit("void(f8[::1], i8, f8[:, ::1], f8[:, ::1], f8[::1], f8[::1])", cache=True)
def decompose(y, season, low_pass, local, seasonal, trend):  # type: ignore[no-untyped-def]
    """Seasonal component and trend of y, both (n,) float64, written, y's unit; n ≥ 2·season.

    low_pass, local: `smoothers` for n points.
    """
    n = y.size
    cycles, longer = n // season, n % season
    table = weights(cycles, SEASONAL, 0)
    longer_table = weights(cycles + 1, SEASONAL, 0) if longer else table
    rest, figure = np.empty(n), np.empty(n + 2 * season)
    once, twice, thrice = np.empty(n + season + 1), np.empty(n + 2), np.empty(n)
    ones, three = np.ones(season), np.ones(3)
    for t in range(n):
        trend[t] = 0.0
    for _ in range(PASSES):
        for t in range(n):
            rest[t] = y[t] - trend[t]
        smooth_cycles(rest, season, 0, longer, longer_table, figure)
        smooth_cycles(rest, season, longer, season, table, figure)
        average(figure, ones, once)
        average(once, ones, twice)
        average(twice, three, thrice)
        smooth(thrice, low_pass, trend)
        for t in range(n):
            seasonal[t] = figure[season + t] - trend[t]
            rest[t] = y[t] - seasonal[t]
        smooth(rest, local, trend)


@njit("Tuple((f8[:, ::1], f8[:, ::1]))(i8, i8)", cache=True)
def smoothers(n, season):  # type: ignore[no-untyped-def]
    """Weights of the low-pass and of the trend smoother for n points, as `smooth` takes them."""
    low_pass, local = weights(n, season + 1 + season % 2, 1), weights(n, trend_length(season), 1)
    return np.ascontiguousarray(low_pass.T), np.ascontiguousarray(local.T)


@njit("Tuple((f8[::1], f8[::1]))(f8[::1], i8)", cache=True)
def stl(y, season):  # type: ignore[no-untyped-def]
    """Seasonal component and trend of one series, n ≥ 2·season, finite; what is left of y is the remainder."""
    seasonal, trend = np.empty(y.size), np.empty(y.size)
    low_pass, local = smoothers(y.size, season)
    decompose(y, season, low_pass, local, seasonal, trend)
    return seasonal, trend
