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
BATCH = 128  # beats looked at together
WHOLE = 64  # samples that a vectorised loop takes at once
PARTS = 2.0**27  # of a sample: exact for a week at 64 Hz, so that a beat's place does not hang on where counting began
Singles = NDArray[np.float32]


@njit("void(f8[::1], f8[::1], f4[::1])", cache=True)
def _level(x: Floats, place: Floats, out: Singles) -> None:
    """Write x: (n ≥ 2,) less its slope to out; float32, for it is only compared from here on, and twice as fast.

    Four sums side by side: one waits for its own last addition (0.7 → 0.4 ms).
    """
    n = x.size
    mid, rest = 0.5 * (n - 1), n - n % 4
    a, b, c, d = 0.0, 0.0, 0.0, 0.0
    for i in range(0, rest, 4):
        a += (place[i] - mid) * x[i]
        b += (place[i + 1] - mid) * x[i + 1]
        c += (place[i + 2] - mid) * x[i + 2]
        d += (place[i + 3] - mid) * x[i + 3]
    for i in range(rest, n):
        a += (place[i] - mid) * x[i]
    slope = (a + b + c + d) / (n * (n * n - 1.0) / 12.0)
    for i in range(n):
        out[i] = x[i] - slope * (place[i] - mid)


@njit("i8(f4[::1], i8)", cache=True)
def _best_scale(window: Singles, scales: int) -> int:
    """The first scale with the most local maxima. window: NaN in the first and the last `scales` places.

    Slices, not window[i - k]: with those LLVM cannot rule out an index from the end and does not vectorise. A count of
    32 bits, as wide as what is compared: half the vectors.
    """
    here = window[scales : window.size - scales]
    best, most = 1, -1
    for k in range(1, scales + 1):
        before, after = window[scales - k :], window[scales + k :]
        count = np.int32(0)
        for i in range(here.size):
            count = np.int32(count + ((here[i] > before[i]) & (here[i] > after[i])))
        if count > most:
            best, most = k, int(count)
    return best


@njit("void(f4[::1], i8, i8, b1[::1])", cache=True)
def _maxima(window: Singles, first: int, scale: int, peak: Flags) -> None:
    """Mark in peak: (n,) which of window[first:first + n] are above all up to `scale` away; NaN is above none."""
    here = window[first:]
    for i in range(peak.size):
        peak[i] = here[i] == here[i]
    for k in range(1, scale + 1):
        before, after = window[first - k :], window[first + k :]
        for i in range(peak.size):
            peak[i] &= not ((here[i] <= before[i]) | (here[i] <= after[i]))


@njit("i8[::1](f8[::1], f8, i8[::1], i8)", cache=True)
def scalogram_peaks(x: Floats, fs_hz: float, edges: Ints, margin: int) -> Ints:
    """Find systolic peaks by the local-maxima scalogram, window by window.

    x: (n,) band-passed, upright, no NaN; fs_hz: its rate, best about 20 Hz. edges: (m+1,) ascending sample numbers;
    window b keeps the peaks in x[edges[b]:edges[b+1]] and sees `margin` samples more on both sides.
    Returns (k,) int64 ascending sample numbers. Raises nothing. MSPTDfast, doi 10.1101/2024.08.23.24312514; departs
    from it in the windows, which lie on the clock.
    """
    n = x.size
    longest = 0
    for b in range(edges.size - 1):
        longest = max(longest, edges[b + 1] - edges[b])
    slowest = int(SLOWEST_BEAT_S * fs_hz / 2)
    window = np.empty(longest + 2 * margin + WHOLE + 2 * slowest, np.float32)
    peak, place = np.empty(longest, np.bool_), np.arange(0.0, longest + 2 * margin)
    found = np.empty(n, np.int64)
    k = 0
    for b in range(edges.size - 1):
        low, high = max(0, edges[b] - margin), min(n, edges[b + 1] + margin)
        size = high - low
        scales = min(slowest, (size - 1) // 2)
        if scales < 1:
            continue
        whole = -(-size // WHOLE) * WHOLE
        window[:scales] = np.nan
        _level(x[low:high], place, window[scales : scales + size])
        window[scales + size : whole + 2 * scales] = np.nan
        kept = peak[: edges[b + 1] - edges[b]]
        _maxima(window, scales + edges[b] - low, _best_scale(window[: whole + 2 * scales], scales), kept)
        for i in range(kept.size):
            found[k] = edges[b] + i
            k += kept[i]
    return found[:k].copy()


@njit("void(f4[::1], i8, i8, i8, f4[::1])", cache=True)
def moving_mean(x: Singles, width: int, first: int, n: int, mean: Singles) -> None:
    """Centred mean over `width` (odd) of n samples, fewer at their ends, for those from number `first` on.

    x: (≥ m + width − 1,) begins width // 2 before `first`, 0 beyond the ends, and is lost; mean: (m,) is written.
    Sums of 1, 2, 4 … samples, added as the binary digits of `width` say, each from its own samples: nothing is ever
    subtracted, so a spike leaves nothing behind.
    """
    half, span, at = width // 2, 1, 0
    mean[:] = 0.0
    while True:
        if width & span:
            part = x[at:]
            for i in range(mean.size):
                mean[i] += part[i]
            at += span
        if 2 * span > width:
            break
        later = x[span:]
        for i in range(later.size):
            x[i] += later[i]
        span *= 2
    share = np.float32(1.0 / width)
    for i in range(mean.size):
        mean[i] *= share
    if first < half or first + mean.size > n - half:
        for i in range(mean.size):
            mean[i] *= width / (min(first + i + half, n - 1) - max(first + i - half, 0) + 1)


@njit("void(f8[::1], i8, f4[::1])", cache=True)
def _power(x: Floats, first: int, power: Singles) -> None:
    """Write the squared positive part of x[first:first + m], 0 beyond the ends, to power: (m,)."""
    power[:] = 0.0
    seen, into = x[max(first, 0) : first + power.size], power[max(-first, 0) :]
    for i in range(seen.size):
        positive = max(seen[i], 0.0)
        into[i] = positive * positive


@njit("f8(f4[::1])", cache=True)
def _mean(x: Singles) -> float:
    """Mean of x, 0 of none; four sums side by side, for one waits for its own last addition."""
    a, b, c, d, rest = 0.0, 0.0, 0.0, 0.0, x.size - x.size % 4
    for i in range(0, rest, 4):
        a, b, c, d = a + x[i], b + x[i + 1], c + x[i + 2], d + x[i + 3]
    for i in range(rest, x.size):
        a += x[i]
    return (a + b + c + d) / max(x.size, 1)


@njit("b1[::1](f8[::1], i8[::1], i8, i8)", cache=True)
def _above(x: Floats, edges: Ints, short: int, long: int) -> Flags:
    """Whether the short mean of the power at each sample exceeds the long one and its block's offset: (n,).

    Block by block, in work that stays in the nearest cache, and in float32: half the time of float64 (4.9 → 2.4 ms a
    night for both), and what is within a millionth of the threshold is no beat for its sake.
    """
    n, half, longest = x.size, long // 2, 0
    for b in range(edges.size - 1):
        longest = max(longest, edges[b + 1] - edges[b])
    power, again = np.empty(longest + long, np.float32), np.empty(longest + long, np.float32)
    peak_mean, beat_mean = np.empty(longest, np.float32), np.empty(longest, np.float32)
    above = np.zeros(n, np.bool_)
    for b in range(edges.size - 1):
        first, size = edges[b], edges[b + 1] - edges[b]
        _power(x, first - half, power)
        offset = np.float32(BETA * _mean(power[half : half + size]))
        again[:] = power
        moving_mean(again[half - short // 2 :], short, first, n, peak_mean[:size])
        moving_mean(power, long, first, n, beat_mean[:size])
        marks = above[first : first + size]
        for i in range(size):
            marks[i] = peak_mean[i] > beat_mean[i] + offset
    return above


@njit("i8[::1](f8[::1], f8, i8[::1])", cache=True)
def event_peaks(x: Floats, fs_hz: float, edges: Ints) -> Ints:
    """Find systolic peaks where a short moving mean of the squared positive part exceeds a long one.

    x: (n,) band-passed, upright, no NaN; fs_hz: its rate; edges: (m+1,) ascending sample numbers, the threshold's
    offset is BETA times the mean power of each block. Returns (k,) int64 ascending sample numbers.
    Raises nothing. Elgendi 2013, doi 10.1371/journal.pone.0076585; departs from it in the offset by block.
    """
    n, short = x.size, int(SHORT_S * fs_hz / 2) * 2 + 1
    above = _above(x, edges, short, int(LONG_S * fs_hz / 2) * 2 + 1)
    found = np.empty(n // 2 + 1, np.int64)
    k, i = 0, 0
    while i < n:
        while i < n and not above[i]:
            i += 1
        first, top, height = i, i, -np.inf
        while i < n and above[i]:
            higher = x[i] > height
            top, height = i if higher else top, x[i] if higher else height
            i += 1
        if i - first >= short:
            found[k] = top
            k += 1
    return found[:k].copy()


@njit("void(f8[::1], i8[::1], f8[:,::1], i8[::1], f8[::1])", cache=True)
def _highest(x: Floats, rough: Ints, near: Floats, tops: Ints, heights: Floats) -> None:
    """Copy the neighbours of each place in rough: (m,) to a column of near: (2·reach + 3, ≥ m), the ends of x repeated.

    Writes place and height of the highest within `reach`; of equal ones the middle, then the first.
    """
    last, middle = x.size - 1, near.shape[0] // 2
    for row in range(near.shape[0]):
        line = near[row]
        for j in range(rough.size):
            line[j] = x[min(max(rough[j] - middle + row, 0), last)]
    tops[: rough.size] = rough
    heights[:] = near[middle]
    for row in range(1, near.shape[0] - 1):
        line = near[row]
        for j in range(rough.size):  # chosen, not branched on: no processor guesses where a peak lies
            higher = line[j] > heights[j]
            tops[j] = rough[j] - middle + row if higher else tops[j]
            heights[j] = line[j] if higher else heights[j]


@njit("f8[::1](f8[::1], i8[::1], i8, f8)", cache=True)
def refine(x: Floats, rough: Ints, reach: int, fs_hz: float) -> Floats:
    """Move each peak to the highest sample within `reach` samples, then to the top of the parabola through three.

    x: (n,); rough: (k,) ascending sample numbers. Returns (j ≤ k,) float64 fractional sample numbers, multiples of
    1/PARTS, ascending, at least 300 ms apart (of two nearer ones the higher stays); peaks that lie on a slope or at an
    end are left out. Many beats at once: one after the other each waits for far memory (3.5 → 2.8 ms a night).
    """
    near, tops, heights = np.empty((2 * reach + 3, BATCH)), np.empty(BATCH, np.int64), np.empty(BATCH)
    fine = np.empty(rough.size)
    k, before_top, before_height = 0, 0, 0.0
    for low in range(0, rough.size, BATCH):
        batch = rough[low : low + BATCH]
        _highest(x, batch, near, tops, heights)
        for j in range(batch.size):
            top, height, row = tops[j], heights[j], tops[j] - batch[j] + reach + 1
            left, right = near[row - 1, j], near[row + 1, j]
            if top <= 0 or top >= x.size - 1 or left > height or right > height:
                continue
            if k > 0 and top - before_top < REFRACTORY_S * fs_hz:
                if height <= before_height:
                    continue
                k -= 1
            bend = left - 2.0 * height + right
            beside = 0.5 * (left - right) / bend if bend < 0 else 0.0
            fine[k] = top + np.rint(beside * PARTS) / PARTS
            before_top, before_height = top, height
            k += 1
    return fine[:k].copy()
