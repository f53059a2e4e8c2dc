"""Spectra of intervals by solving and projecting outright."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def spline(
    t_us: NDArray[np.int64], values: Floats, first_us: int, step_us: int, n: int, block_us: int, margin_us: int
) -> Floats:
    out = []
    for now in first_us + step_us * np.arange(n):
        if now < t_us[0] or now >= t_us[-1]:
            out.append(values[0] if now < t_us[0] else values[-1])
            continue
        start = now // block_us * block_us
        near = (t_us >= start - margin_us) & (t_us < start + block_us + margin_us)
        out.append(_natural((t_us[near] - start) / 1e6, values[near], (now - start) / 1e6))
    return np.array(out)


def _natural(t: Floats, values: Floats, now: float) -> float:
    k = len(t)
    system, right = np.eye(k), np.zeros(k)
    for i in range(1, k - 1):
        a, b = t[i] - t[i - 1], t[i + 1] - t[i]
        system[i, i - 1 : i + 2] = a, 2 * (a + b), b
        right[i] = 6 * ((values[i + 1] - values[i]) / b - (values[i] - values[i - 1]) / a)
    bend = np.linalg.solve(system, right)
    i = int(np.searchsorted(t, now, side="right")) - 1
    h = t[i + 1] - t[i]
    a, b = (t[i + 1] - now) / h, (now - t[i]) / h
    line = a * values[i] + b * values[i + 1]
    return float(line + ((a**3 - a) * bend[i] + (b**3 - b) * bend[i + 1]) * h * h / 6)


def tapered(x: Floats, starts: NDArray[np.int64], hop: int, taper: Floats) -> Floats:
    size, place = len(taper), np.arange(len(taper))
    out = np.empty((len(starts), 3, size))
    for w, start in enumerate(starts):
        for s in range(3):
            segment = x[start + s * hop : start + s * hop + size]
            out[w, s] = (segment - np.polyval(np.polyfit(place, segment, 1), place)) * taper
    return out


def lomb(t_s: Floats, values: Floats, span_s: float, low: int, high: int) -> Floats:
    x = values - np.polyval(np.polyfit(t_s - t_s.mean(), values, 1), t_s - t_s.mean())
    out = []
    for cycles in range(low, high):
        angle = 2 * np.pi * cycles / span_s * t_s
        waves = np.column_stack([np.cos(angle), np.sin(angle)])
        fit, *_ = np.linalg.lstsq(waves, x, rcond=None)
        out.append(((waves @ fit) ** 2).sum() / len(x))
    return np.array(out)
