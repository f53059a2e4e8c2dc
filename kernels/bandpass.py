"""Zero-phase Butterworth band-pass in independent blocks, so that a cut changes a bounded neighbourhood only."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from kernels.arrays import Floats, Ints, Samples

LANES = 8  # blocks filtered side by side: one is bound by the latency of the recursion, 16 leave the second cache
ROWS = 8  # filtered in one go: the states of a lane are read and written once for all
TILE = 32  # rows copied for all lanes before the next ones: what stays in the nearest cache
SECOND, THIRD, FOURTH = np.uint64(LANES), np.uint64(2 * LANES), np.uint64(3 * LANES)  # states of a lane
_EITHER = ("Array(int32, 1, 'C', readonly=True)", "f8[::1]")  # samples


def design(fs_hz: float, low_hz: float, high_hz: float) -> tuple[Floats, Floats]:
    """Second-order Butterworth band-pass as two biquads, by the bilinear transform with both edges pre-warped.

    Returns sos: (2, 5) rows b0 b1 b2 a1 a2, and rest: (2, 2) each section's state after an endless input of ones.
    Raises ValueError unless 0 < low < high < fs/2.
    """
    if not 0 < low_hz < high_hz < fs_hz / 2:
        raise ValueError(f"no band-pass {low_hz}–{high_hz} Hz at a sampling rate of {fs_hz} Hz")
    low, high = (2 * fs_hz * math.tan(math.pi * edge / fs_hz) for edge in (low_hz, high_hz))
    half = (high - low) / 2 * np.exp(0.75j * math.pi)  # the prototype's pole in the upper half plane, moved and scaled
    split = np.sqrt(half * half - low * high)
    analog = sorted((half + split, half - split), key=abs, reverse=True)  # a level dies in the section of its zeros
    poles = np.array([(2 * fs_hz + p) / (2 * fs_hz - p) for p in analog])
    gain = ((high - low) * 2 * fs_hz) ** 2 / math.prod(abs(2 * fs_hz - p) ** 2 for p in analog)
    feedback = np.column_stack([-2 * poles.real, np.abs(poles) ** 2])
    forward = np.array([[gain, 2 * gain, gain], [1.0, -2.0, 1.0]])  # two zeros at the Nyquist rate, two at rest
    sos = np.column_stack([forward, feedback])
    rest = np.zeros((2, 2))
    level = 1.0
    for row, (b0, b1, b2, a1, a2) in enumerate(sos):
        out = level * (b0 + b1 + b2) / (1 + a1 + a2)
        rest[row, 1] = b2 * level - a2 * out
        rest[row, 0] = b1 * level - a1 * out + rest[row, 1]
        level = out
    return sos, rest


@njit("void(f8[:,::1], f8[:,::1], i8, i8, f8[:,::1], f8[:,::1])", cache=True)
def _filter(source: Floats, target: Floats, n: int, wanted: int, sos: Floats, rest: Floats) -> None:
    """Filter the first `wanted` of n rows of source into target, last row first: done twice, both ways are filtered.

    source, target: (≥ n + 2·ROWS, LANES), their rows begin behind ROWS that take what exceeds a multiple of ROWS.
    Unsigned places at constant distances, but no constant number of lanes: else LLVM asks before every ROWS rows
    whether they overlap (3.5 instead of 3.0 ms), or unrolls the lanes before it can vectorise them (10 ms).
    """
    gain, a1, a2, d1, d2 = sos[0, 0], sos[0, 3], sos[0, 4], sos[1, 3], sos[1, 4]
    lanes, x, y = source.shape[1], source.reshape(source.size), target.reshape(target.size)
    z = np.empty(4 * LANES)
    for k in range(4):
        for lane in range(lanes):
            z[k * LANES + lane] = rest[k // 2, k % 2] * source[ROWS, lane]
    for row in range(0, wanted, ROWS):
        above, below = x[(ROWS + row) * LANES :], y[(n - row) * LANES :]
        for lane in range(lanes):
            i = np.uint64(lane)
            z0, z1, z2, z3 = z[i], z[i + SECOND], z[i + THIRD], z[i + FOURTH]
            for k in range(ROWS):  # b of the sections are gain·(1, 2, 1) and (1, −2, 1)
                v = gain * above[i + np.uint64(k * LANES)]
                u = v + z0
                z0 = v + v - a1 * u + z1
                z1 = v - a2 * u
                w = u + z2
                z2 = -2.0 * u - d1 * w + z3
                z3 = u - d2 * w
                below[i + np.uint64((ROWS - 1 - k) * LANES)] = w
            z[i], z[i + SECOND], z[i + THIRD], z[i + FOURTH] = z0, z1, z2, z3


@njit([f"void({x}, f8, f8, i8[::1], i8[::1], i8, f8[:,::1], i8)" for x in _EITHER], cache=True)
def _gather(
    x: Samples, scale: float, offset: float, edges: Ints, lanes: Ints, margin: int, work: Floats, rows: int
) -> None:
    """Copy `rows` samples from `margin` before the block of each lane into work (row by row: 2 ms more)."""
    for top in range(0, rows, TILE):
        tile = work[top : min(top + TILE, rows)]
        for lane in range(lanes.size):
            source = x[edges[lanes[lane]] - margin + top :]
            for i in range(tile.shape[0]):
                tile[i, lane] = source[i] * scale + offset


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


@njit([f"i8(f8[:,::1], {x}, f8, f8, i8, i8, i8)" for x in _EITHER], cache=True)
def _extend(work: Floats, x: Samples, scale: float, offset: float, low: int, high: int, pad: int) -> int:
    """Copy x[low:high] into lane 0, oddly reflected by `pad` samples beyond an end of x; returns the rows used."""
    n, row = x.size, 0
    first, last = x[0] * scale + offset, x[n - 1] * scale + offset
    if low <= 0:
        low = 0
        for k in range(pad, 0, -1):
            work[row, 0] = 2.0 * first - (x[k] * scale + offset)
            row += 1
    for i in range(low, min(high, n)):
        work[row, 0] = x[i] * scale + offset
        row += 1
    if high >= n:
        for k in range(1, pad + 1):
            work[row, 0] = 2.0 * last - (x[n - 1 - k] * scale + offset)
            row += 1
    return row


@njit([f"f8[::1]({x}, f8, f8, i8[::1], i8, i8, f8[:,::1], f8[:,::1])" for x in _EITHER], cache=True)
def bandpass(
    x: Samples, scale: float, offset: float, edges: Ints, margin: int, pad: int, sos: Floats, rest: Floats
) -> Floats:
    """Filter x·scale + offset forwards and backwards, block by block, with odd reflection at the ends of x only.

    x: (n,) any unit, no NaN; int32 is read as it is stored, for a copy in float64 costs 2 ms a night. edges: (m+1,)
    ascending sample numbers from 0 to n; block b is x[edges[b]:edges[b+1]] and sees `margin` samples of signal on both
    sides, or a reflection of `pad` < n samples at an end of x. sos, rest: from `design`. Returns (n,) float64 in the
    unit of x·scale. Raises nothing. DOMAIN C1; departs from the usual filtfilt in the blocks: filtering whole segments
    changes bits up to a minute before a cut.

    >>> sos, rest = design(64.0, 0.5, 8.0)
    >>> bool(abs(bandpass(np.full(640, 7.0), 1.0, 0.0, np.array([0, 640]), 1280, 384, sos, rest)).max() < 1e-9)
    True
    """
    n, m = x.size, edges.size - 1
    longest = 0
    for b in range(m):
        longest = max(longest, edges[b + 1] - edges[b])
    span = longest + 2 * margin
    room = (span + 2 * pad + 2 * ROWS, LANES)
    work, turned = np.zeros(room), np.zeros(room)
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
            _gather(x, scale, offset, edges, lanes, margin, work[ROWS:], span)
            _filter(work, turned, span, span, sos, rest)
            _filter(turned, work, span, span - margin, sos, rest)
            _scatter(work, ROWS + margin, edges, lanes[:used], longest, y)
            used = 0
        if not inside:
            rows = _extend(work[ROWS:], x, scale, offset, low, low + span, pad)
            ahead = min(edges[b], margin) + (pad if low <= 0 else 0)
            _filter(work, turned, rows, rows, sos, rest)
            _filter(turned, work, rows, rows - ahead, sos, rest)
            for i in range(edges[b], edges[b + 1]):
                y[i] = work[ROWS + ahead + i - edges[b], 0]
    return y
