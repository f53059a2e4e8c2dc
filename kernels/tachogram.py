"""From intervals to spectra: a spline through them, tapered segments of it, powers of the intervals themselves."""

from __future__ import annotations

import numpy as np
from numba import njit

from kernels.arrays import Floats, Ints


@njit("f8[::1](f8[::1], f8[::1])", cache=True)
def bends(width_s: Floats, rise: Floats) -> Floats:
    """Second derivatives, a s², of the natural cubic spline at its k points. (k − 1,) each, of the intervals between
    them: their lengths, and the slopes of straight lines."""
    k = width_s.size + 1
    bend, ahead = np.zeros(k), np.zeros(k)  # second derivatives, and the part of the next one in each
    own, part = 0.0, 0.0  # both of the point before: from memory they would come later
    for i in range(1, k - 1):
        before, after = width_s[i - 1], width_s[i]
        pivot = 2.0 * (before + after) - before * part
        part = after / pivot
        own = (6.0 * (rise[i] - rise[i - 1]) - before * own) / pivot
        bend[i], ahead[i] = own, part
    own = 0.0
    for i in range(k - 2, 0, -1):
        own = bend[i] - ahead[i] * own
        bend[i] = own
    return bend


@njit("f8[::1](i8[::1], f8[::1], i8, i8, i8, i8, i8)", cache=True)
def spline(t_us: Ints, values: Floats, first_us: int, step_us: int, n: int, block_us: int, margin_us: int) -> Floats:
    """Natural cubic splines through points, at n times from first_us, step_us apart; held outside of the points.

    t_us: (k ≥ 1,) strictly ascending; values: (k,), no NaN. Each block of the UTC clock has its own spline, through the
    points in it and margin_us on both sides, of which there is one at least on both: what is farther away would change
    it by a quarter of a quarter … for each point between. Returns (n,) float64 in the unit of values. Goes from point
    to point: asking at each time which points it lies between takes twice the time.
    """
    out = np.empty(n)
    k = t_us.size
    width_s = (t_us[1:] - t_us[:-1]) / 1e6
    rise = (values[1:] - values[:-1]) / width_s
    low, high, above, i = 0, 0, 0, 0
    while i < n:
        start_us = (first_us + i * step_us) // block_us * block_us
        end_us = start_us + block_us
        while low < k - 1 and t_us[low] < start_us - margin_us:
            low += 1
        while high < k and t_us[high] < end_us + margin_us:
            high += 1
        bend = bends(width_s[low : high - 1], rise[low : high - 1])
        end = min((end_us - first_us + step_us - 1) // step_us, n)
        while i < end:
            while above < k and t_us[above] <= first_us + i * step_us:
                above += 1
            if above == 0 or above == k:
                out[i] = values[0] if above == 0 else values[k - 1]
                i += 1
                continue
            below, width = above - 1, width_s[above - 1]
            level, begin_us = values[below], t_us[below]
            curve, last = bend[below - low] / 2.0, bend[above - low] / 2.0
            slope = rise[below] - width * (2.0 * curve + last) / 3.0
            twist = (last - curve) / (3.0 * width)
            reach = min((t_us[above] - first_us + step_us - 1) // step_us, end)
            for j in range(i, reach):
                d = (first_us + j * step_us - begin_us) * 1e-6
                out[j] = level + d * (slope + d * (curve + d * twist))
            i = reach
    return out


@njit("f8[:,:,::1](f8[::1], i8[::1], i8, f8[::1])", cache=True)
def tapered(x: Floats, starts: Ints, hop: int, taper: Floats) -> Floats:
    """Three segments, `hop` samples apart, from each start, each freed of its line and multiplied by `taper`.

    x: (n,); starts: (m,), segments inside x; taper: (size,). Returns (m, 3, size) float64 in the unit of x. The three
    are summed side by side: a sum alone waits for each addition.
    """
    size = taper.size
    mid = 0.5 * (size - 1)
    power = size * (size * size - 1.0) / 12.0  # Σ (i − mid)²
    out = np.empty((starts.size, 3, size))
    for w in range(starts.size):
        first, middle, last = x[starts[w] :], x[starts[w] + hop :], x[starts[w] + 2 * hop :]
        a, b, c, along_a, along_b, along_c = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for i in range(size):
            a += first[i]
            b += middle[i]
            c += last[i]
            along_a += (i - mid) * first[i]
            along_b += (i - mid) * middle[i]
            along_c += (i - mid) * last[i]
        levels = (a / size, b / size, c / size)
        slopes = (along_a / power, along_b / power, along_c / power)
        for s in range(3):
            segment, target, level, slope = x[starts[w] + s * hop :], out[w, s], levels[s], slopes[s]
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
