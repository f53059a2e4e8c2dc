"""Zero-phase Butterworth band-pass in independent blocks, so that a cut changes a bounded neighbourhood only."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from kernels.arrays import Floats, Ints, Samples

LANES = 8  # blocks filtered side by side: one is bound by the latency of the recursion, 16 leave the second cache
ROWS = 8  # filtered in one go: what a lane remembers is read and written once for all
TILE = 32  # rows copied for all lanes before the next ones: what stays in the nearest cache
_VALUES = 8  # that a lane remembers
_AT = tuple(np.uint64(k * LANES) for k in range(_VALUES))
_EITHER = ("Array(int32, 1, 'C', readonly=True)", "f8[::1]")  # samples


def design(fs_hz: float, low_hz: float, high_hz: float) -> tuple[float, Floats]:
    """Second-order Butterworth band-pass by the bilinear transform with both edges pre-warped.

    Returns the gain and the feedback, (2, 2) rows a1 a2 of two pairs of poles: gain·(1 − z⁻²)² over the product of
    1 + a1·z⁻¹ + a2·z⁻². Raises ValueError unless 0 < low < high < fs/2.
    """
    if not 0 < low_hz < high_hz < fs_hz / 2:
        raise ValueError(f"no band-pass {low_hz}–{high_hz} Hz at a sampling rate of {fs_hz} Hz")
    low, high = (2 * fs_hz * math.tan(math.pi * edge / fs_hz) for edge in (low_hz, high_hz))
    half = (high - low) / 2 * np.exp(0.75j * math.pi)  # the prototype's pole in the upper half plane, moved and scaled
    split = np.sqrt(half * half - low * high)
    analog = np.array([half + split, half - split])
    poles = (2 * fs_hz + analog) / (2 * fs_hz - analog)
    gain = ((high - low) * 2 * fs_hz) ** 2 / math.prod(abs(2 * fs_hz - p) ** 2 for p in analog)
    return gain, np.column_stack([-2 * poles.real, np.abs(poles) ** 2])


@njit("void(f8[:,::1], f8[:,::1], i8, i8, f8[:,::1])", cache=True)
def _filter(source: Floats, target: Floats, n: int, wanted: int, feedback: Floats) -> None:
    """Filter the first `wanted` of n rows of source into target, last row first: done twice, both ways are filtered.

    Each lane as if its first value had always been. Zeros first, so that no level reaches the poles, then one pair of
    poles after the other: a value waits for a product and a difference only (4.6 ms for all of a night; 6.1 as two
    biquads). source, target: (≥ n + 2·ROWS, LANES), their rows begin behind ROWS that take what exceeds a multiple of
    ROWS. Unsigned places at constant distances, but no constant number of lanes: else LLVM asks before every ROWS rows
    whether they overlap, or unrolls the lanes before it can vectorise them (three times as long).
    """
    a1, a2, d1, d2 = feedback[0, 0], feedback[0, 1], feedback[1, 0], feedback[1, 1]
    lanes, x, y = source.shape[1], source.reshape(source.size), target.reshape(target.size)
    z = np.zeros(_VALUES * LANES)
    z[:lanes] = source[ROWS]
    z[LANES : LANES + lanes] = source[ROWS]
    for row in range(0, wanted, ROWS):
        above, below = x[(ROWS + row) * LANES :], y[(n - row) * LANES :]
        for lane in range(lanes):
            i = np.uint64(lane)
            x1, x2, v1, v2 = z[i], z[i + _AT[1]], z[i + _AT[2]], z[i + _AT[3]]  # of the last row, of the one before
            u1, u2, w1, w2 = z[i + _AT[4]], z[i + _AT[5]], z[i + _AT[6]], z[i + _AT[7]]
            for k in range(ROWS):
                here = above[i + np.uint64(k * LANES)]
                v = here - x2
                u = (v - v2 - a2 * u2) - a1 * u1
                w = (u - d2 * w2) - d1 * w1
                below[i + np.uint64((ROWS - 1 - k) * LANES)] = w
                x1, x2, v1, v2, u1, u2, w1, w2 = here, x1, v, v1, u, u1, w, w1
            z[i], z[i + _AT[1]], z[i + _AT[2]], z[i + _AT[3]] = x1, x2, v1, v2
            z[i + _AT[4]], z[i + _AT[5]], z[i + _AT[6]], z[i + _AT[7]] = u1, u2, w1, w2


@njit([f"void({x}, f8, i8[::1], i8[::1], i8, f8[:,::1], i8)" for x in _EITHER], cache=True)
def _gather(x: Samples, scale: float, edges: Ints, lanes: Ints, margin: int, work: Floats, rows: int) -> None:
    """Copy `rows` samples from `margin` before the block of each lane into work (row by row: 2 ms more)."""
    for top in range(0, rows, TILE):
        tile = work[top : min(top + TILE, rows)]
        for lane in range(lanes.size):
            source = x[edges[lanes[lane]] - margin + top :]
            for i in range(tile.shape[0]):
                tile[i, lane] = source[i] * scale


@njit("void(f8[:,::1], i8, i8[::1], i8[::1], i8, f8[::1])", cache=True)
def _scatter(work: Floats, first: int, edges: Ints, lanes: Ints, longest: int, y: Floats) -> None:
    """Copy each lane of work from row `first` on to its block of y; no block is longer than `longest`."""
    for top in range(0, longest, TILE):
        tile = work[first + top :]
        for lane in range(lanes.size):
            start, end = edges[lanes[lane]] + top, edges[lanes[lane] + 1]
            target = y[start : max(min(start + TILE, end), start)]
            for i in range(target.size):
                target[i] = tile[i, lane]


@njit([f"i8(f8[:,::1], {x}, f8, i8, i8, i8)" for x in _EITHER], cache=True)
def _extend(work: Floats, x: Samples, scale: float, low: int, high: int, pad: int) -> int:
    """Copy x[low:high] into lane 0, oddly reflected by `pad` samples beyond an end of x; returns the rows used."""
    n, row = x.size, 0
    first, last = x[0] * scale, x[n - 1] * scale
    if low <= 0:
        low = 0
        for k in range(pad, 0, -1):
            work[row, 0] = 2.0 * first - x[k] * scale
            row += 1
    for i in range(low, min(high, n)):
        work[row, 0] = x[i] * scale
        row += 1
    if high >= n:
        for k in range(1, pad + 1):
            work[row, 0] = 2.0 * last - x[n - 1 - k] * scale
            row += 1
    return row


@njit([f"f8[::1]({x}, f8, i8[::1], i8, i8, f8, f8[:,::1])" for x in _EITHER], cache=True)
def bandpass(x: Samples, scale: float, edges: Ints, margin: int, pad: int, gain: float, feedback: Floats) -> Floats:
    """Filter x·scale forwards and backwards, block by block, with odd reflection at the ends of x only.

    x: (n,) any unit, no NaN; its level does not matter. int32 is read as it is stored, for a copy in float64 costs 2 ms
    a night. edges: (m+1,) ascending sample numbers from 0 to n; block b is x[edges[b]:edges[b+1]] and sees `margin`
    samples of signal on both sides, or a reflection of `pad` < n samples at an end of x. gain, feedback: from `design`.
    Returns (n,) float64 in the unit of x·scale. Raises nothing. DOMAIN C1; departs from the usual filtfilt in the
    blocks: filtering whole segments changes bits up to a minute before a cut.

    >>> gain, feedback = design(64.0, 0.5, 8.0)
    >>> bool(abs(bandpass(np.full(640, 7.0), 1.0, np.array([0, 640]), 1280, 384, gain, feedback)).max() < 1e-9)
    True
    """
    n, m = x.size, edges.size - 1
    longest = 0
    for b in range(m):
        longest = max(longest, edges[b + 1] - edges[b])
    span = longest + 2 * margin
    room = (span + 2 * pad + 2 * ROWS, LANES)
    work, turned = np.zeros(room), np.zeros(room)
    scale *= gain * gain  # of both ways
    y = np.empty(n)
    lanes = np.zeros(LANES, np.int64)
    used = 0
    for b in range(m):
        low = edges[b] - margin
        inside = low > 0 and low + span < n
        if inside:  # all blocks away from the ends have one length, and share a pass
            lanes[used] = b
            used += 1
        if used == LANES or (used > 0 and (not inside or b == m - 1)):
            lanes[used:] = lanes[0]
            _gather(x, scale, edges, lanes, margin, work[ROWS:], span)
            _filter(work, turned, span, span, feedback)
            _filter(turned, work, span, span - margin, feedback)
            _scatter(work, ROWS + margin, edges, lanes[:used], longest, y)
            used = 0
        if not inside:
            rows = _extend(work[ROWS:], x, scale, low, low + span, pad)
            ahead = min(edges[b], margin) + (pad if low <= 0 else 0)
            _filter(work, turned, rows, rows, feedback)
            _filter(turned, work, rows, rows - ahead, feedback)
            for i in range(edges[b], edges[b + 1]):
                y[i] = work[ROWS + ahead + i - edges[b], 0]
    return y
