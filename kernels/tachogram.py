"""From intervals to spectra: a spline through them, tapered segments of it, powers of the intervals themselves."""

from __future__ import annotations

import numpy as np
from numba import njit

from kernels.arrays import Floats, Ints


@njit("f8[::1](i8[::1], f8[::1])", cache=True)
def bends(t_us: Ints, values: Floats) -> Floats:
    """Second derivatives, a s², of the natural cubic spline at its points. t_us: (k,) strictly ascending; (k,)."""
    k = t_us.size
    bend, ahead = np.zeros(k), np.zeros(k)  # second derivatives, and the part of the next one in each
    for i in range(1, k - 1):
        before, after = (t_us[i] - t_us[i - 1]) / 1e6, (t_us[i + 1] - t_us[i]) / 1e6
        slope = (values[i + 1] - values[i]) / after - (values[i] - values[i - 1]) / before
        pivot = 2.0 * (before + after) - before * ahead[i - 1]
        ahead[i] = after / pivot
        bend[i] = (6.0 * slope - before * bend[i - 1]) / pivot
    for i in range(k - 2, 0, -1):
        bend[i] -= ahead[i] * bend[i + 1]
    return bend


@njit("f8[::1](i8[::1], f8[::1], i8, i8, i8, i8, i8)", cache=True)
def spline(t_us: Ints, values: Floats, first_us: int, step_us: int, n: int, block_us: int, margin_us: int) -> Floats:
    """Natural cubic splines through points, at n times from first_us, step_us apart; held outside of the points.

    t_us: (k ≥ 1,) strictly ascending; values: (k,), no NaN. Each block of the UTC clock has its own spline, through the
    points in it and margin_us on both sides, of which there is one at least on both: what is farther away would change
    it by a quarter of a quarter … for each point between. Returns (n,) float64 in the unit of values.
    """
    out = np.empty(n)
    low, high, above, k = 0, 0, 0, t_us.size
    i = 0
    while i < n:
        start_us = (first_us + i * step_us) // block_us * block_us
        end_us = start_us + block_us
        while low < k - 1 and t_us[low] < start_us - margin_us:
            low += 1
        while high < k and t_us[high] < end_us + margin_us:
            high += 1
        bend = bends(t_us[low:high], values[low:high])
        known, slope, curve, twist = -1, 0.0, 0.0, 0.0  # of the interval that ends at point `known`
        while i < n and first_us + i * step_us < end_us:
            now = first_us + i * step_us
            while above < k and t_us[above] <= now:
                above += 1
            if above == 0 or above == k:
                out[i] = values[0] if above == 0 else values[k - 1]
            else:
                if known != above:
                    known, width = above, (t_us[above] - t_us[above - 1]) / 1e6
                    curve, last = bend[above - 1 - low] / 2.0, bend[above - low] / 2.0
                    slope = (values[above] - values[above - 1]) / width - width * (2.0 * curve + last) / 3.0
                    twist = (last - curve) / (3.0 * width)
                d = (now - t_us[above - 1]) * 1e-6
                out[i] = values[above - 1] + d * (slope + d * (curve + d * twist))
            i += 1
    return out


@njit("f8[:,:,::1](f8[::1], i8[::1], i8, i8, f8[::1])", cache=True)
def tapered(x: Floats, starts: Ints, count: int, hop: int, taper: Floats) -> Floats:
    """`count` segments, `hop` samples apart, from each start, each freed of its line and multiplied by `taper`.

    x: (n,); starts: (m,), segments inside x; taper: (size,). Returns (m, count, size) float64 in the unit of x.
    """
    size = taper.size
    mid = 0.5 * (size - 1)
    power = size * (size * size - 1.0) / 12.0  # Σ (i − mid)²
    out = np.empty((starts.size, count, size))
    for w in range(starts.size):
        for s in range(count):
            segment = x[starts[w] + s * hop : starts[w] + s * hop + size]
            level, slope = 0.0, 0.0
            for i in range(size):
                level += segment[i]
                slope += (i - mid) * segment[i]
            level, slope = level / size, slope / power
            target = out[w, s]
            for i in range(size):
                target[i] = (segment[i] - level - slope * (i - mid)) * taper[i]
    return out


@njit("f8[::1](f8[::1], f8[::1], f8, i8, i8)", cache=True)
def lomb(t_s: Floats, values: Floats, span_s: float, low: int, high: int) -> Floats:
    """Power of irregular points at low … high−1 cycles a span, by least squares; their sum over all is the variance.

    t_s: (k ≥ 3,) s; values: (k,), no NaN; their line is taken off first. Returns (high − low,) float64 in the unit of
    values squared: amplitude²/2 of a sine at one of these rates. Scargle 1982, doi 10.1086/160554.
    """
    k = t_s.size
    middle, level = t_s.sum() / k, values.sum() / k
    cross, power = 0.0, 0.0
    for i in range(k):
        cross += (t_s[i] - middle) * (values[i] - level)
        power += (t_s[i] - middle) ** 2
    x = values - level - cross / power * (t_s - middle)
    turn = 2 * np.pi / span_s * (t_s - middle)
    cosine, sine = np.cos(low * turn), np.sin(low * turn)
    one_cosine, one_sine = np.cos(turn), np.sin(turn)
    out = np.empty(high - low)
    for f in range(high - low):
        xc, xs, cc, cs = 0.0, 0.0, 0.0, 0.0
        for i in range(k):
            c, s = cosine[i], sine[i]
            xc += x[i] * c
            xs += x[i] * s
            cc += c * c
            cs += c * s
            cosine[i] = c * one_cosine[i] - s * one_sine[i]
            sine[i] = s * one_cosine[i] + c * one_sine[i]
        ss = k - cc
        rest = cc * ss - cs * cs
        out[f] = (xc * xc * ss + xs * xs * cc - 2 * xc * xs * cs) / (k * rest) if rest > 0 else 0.0
    return out
