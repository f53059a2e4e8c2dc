"""Two beat detectors for the pulse wave, and the refinement of their peaks between samples."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from kernels.arrays import Flags, Floats, Ints

SLOWEST_BEAT_S = 2.0  # 30 beats a minute
REFRACTORY_S = 0.3
BETA = 0.02  # Elgendi 2013: share of the block's mean power that the threshold is raised by
SHORT_S, LONG_S = 0.111, 0.667  # Elgendi 2013: a systolic peak, a beat
CHUNK = 1024  # samples that stay in the nearest cache
PARTS = 2.0**27  # of a sample: exact for a week at 64 Hz, so that a beat's place does not hang on where counting began


@njit("void(f4[::1], i8, b1[::1])", cache=True)
def _window_peaks(x: NDArray[np.float32], scales: int, peak: Flags) -> None:
    """Mark the local maxima of a detrended window x: (n,) over all scales up to the one that has the most maxima.

    Slices, not x[i - k]: with those LLVM cannot rule out an index from the end and does not vectorise (26 → 6 ms).
    """
    n = x.size
    best, most = 1, -1
    for k in range(1, scales + 1):
        here, before, after = x[k : n - k], x[: n - 2 * k], x[2 * k :]
        count = 0
        for i in range(here.size):
            count += (here[i] > before[i]) & (here[i] > after[i])
        if count > most:
            best, most = k, count
    peak[:] = True
    for k in range(1, best + 1):
        early, late, marks = x[: n - k], x[k:], peak[k:]
        for i in range(late.size):
            marks[i] &= late[i] > early[i]
        for i in range(late.size):
            peak[i] &= early[i] > late[i]


@njit("i8[::1](f8[::1], f8, i8[::1], i8)", cache=True)
def scalogram_peaks(x: Floats, fs_hz: float, edges: Ints, margin: int) -> Ints:
    """Find systolic peaks by the local-maxima scalogram, window by window.

    x: (n,) band-passed, upright, no NaN; fs_hz: its rate, best about 20 Hz. edges: (m+1,) ascending sample numbers;
    window b keeps the peaks in x[edges[b]:edges[b+1]] and sees `margin` samples more on both sides.
    Returns (k,) int64 ascending sample numbers. Raises nothing. MSPTDfast, doi 10.1101/2024.08.23.24312514; departs
    from it in the windows, which lie on the clock.
    """
    n = x.size
    found = np.empty(n, np.int64)
    k = 0
    slowest = int(SLOWEST_BEAT_S * fs_hz / 2)
    for b in range(edges.size - 1):
        low, high = max(0, edges[b] - margin), min(n, edges[b + 1] + margin)
        size = high - low
        scales = min(slowest, (size - 1) // 2)
        if scales < 1:
            continue
        mid, top, bottom = 0.5 * (size - 1), 0.0, 0.0
        for i in range(size):
            top += (i - mid) * x[low + i]
            bottom += (i - mid) * (i - mid)
        window = np.empty(size, np.float32)  # only compared from here on, and twice as fast as float64
        for i in range(size):
            window[i] = x[low + i] - top / bottom * (i - mid)
        peak = np.empty(size, np.bool_)
        _window_peaks(window, scales, peak)
        for i in range(edges[b] - low, edges[b + 1] - low):
            if peak[i]:
                found[k] = low + i
                k += 1
    return found[:k].copy()


@njit("f8[::1](f8[::1], i8)", cache=True)
def moving_mean(x: Floats, width: int) -> Floats:
    """Centred mean over `width` (odd) samples, fewer at the ends: (n,) in the unit of x.

    Each window is summed afresh: nothing is ever subtracted, so a spike leaves nothing behind. At the dozen samples of
    a beat this vectorises to the speed of a running sum.
    """
    n, half = x.size, width // 2
    padded = np.zeros(n + width)
    padded[half : half + n] = x
    mean = np.zeros(n)
    for low in range(0, n, CHUNK):
        out = mean[low : low + CHUNK]
        for shift in range(0, width - 2, 3):  # three added at once, one after the other: sums stay in registers
            a, b, c = padded[low + shift :], padded[low + shift + 1 :], padded[low + shift + 2 :]
            for i in range(out.size):
                out[i] = out[i] + a[i] + b[i] + c[i]
        for shift in range(width - width % 3, width):
            part = padded[low + shift :]
            for i in range(out.size):
                out[i] += part[i]
        for i in range(out.size):
            out[i] /= width
    for i in range(min(half, n)):  # the ends, where a window holds fewer
        mean[i] *= width / (min(i + half, n - 1) + 1)
        if n - 1 - i >= half:
            mean[n - 1 - i] *= width / (min(half, n - 1 - i) + i + 1)
    return mean


@njit("i8[::1](f8[::1], f8, i8[::1])", cache=True)
def event_peaks(x: Floats, fs_hz: float, edges: Ints) -> Ints:
    """Find systolic peaks where a short moving mean of the squared positive part exceeds a long one.

    x: (n,) band-passed, upright, no NaN; fs_hz: its rate; edges: (m+1,) ascending sample numbers, the threshold's
    offset is BETA times the mean power of each block. Returns (k,) int64 ascending sample numbers.
    Raises nothing. Elgendi 2013, doi 10.1371/journal.pone.0076585; departs from it in the offset by block.
    """
    n = x.size
    power = np.empty(n)
    for i in range(n):
        positive = max(x[i], 0.0)
        power[i] = positive * positive
    short = int(SHORT_S * fs_hz / 2) * 2 + 1
    peak_mean, beat_mean = moving_mean(power, short), moving_mean(power, int(LONG_S * fs_hz / 2) * 2 + 1)
    found = np.empty(n // 2 + 1, np.int64)
    k, run, top = 0, 0, 0
    for b in range(edges.size - 1):
        total = 0.0
        for i in range(edges[b], edges[b + 1]):
            total += power[i]
        offset = BETA * total / max(edges[b + 1] - edges[b], 1)
        for i in range(edges[b], edges[b + 1]):
            above = peak_mean[i] > beat_mean[i] + offset
            if above:
                if run == 0 or x[i] > x[top]:
                    top = i
                run += 1
            if run > 0 and (not above or i == n - 1):
                if run >= short:
                    found[k] = top
                    k += 1
                run = 0
    return found[:k].copy()


@njit("f8[::1](f8[::1], i8[::1], i8, f8)", cache=True)
def refine(x: Floats, rough: Ints, reach: int, fs_hz: float) -> Floats:
    """Move each peak to the highest sample within `reach` samples, then to the top of the parabola through three.

    x: (n,); rough: (k,) ascending sample numbers. Returns (j ≤ k,) float64 fractional sample numbers, multiples of
    1/PARTS, ascending, at least 300 ms apart (of two nearer ones the higher stays); peaks that lie on a slope or at an
    end are left out.
    """
    n = x.size
    fine = np.empty(rough.size)
    tops = np.empty(rough.size, np.int64)
    k = 0
    for r in rough:
        top, height = r, x[r]
        for i in range(max(r - reach, 0), min(r + reach + 1, n)):
            higher = x[i] > height  # chosen, not branched on: no processor guesses where a peak lies (2.0 → 0.4 ms)
            top = i if higher else top
            height = x[i] if higher else height
        if top == 0 or top == n - 1 or x[top - 1] > height or x[top + 1] > height:
            continue
        if k > 0 and top - tops[k - 1] < REFRACTORY_S * fs_hz:
            if height <= x[tops[k - 1]]:
                continue
            k -= 1
        bend = x[top - 1] - 2.0 * height + x[top + 1]
        tops[k] = top
        beside = 0.5 * (x[top - 1] - x[top + 1]) / bend if bend < 0 else 0.0
        fine[k] = top + np.rint(beside * PARTS) / PARTS
        k += 1
    return fine[:k].copy()
