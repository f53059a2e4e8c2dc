"""Time order: from blocks as the device numbered them to segments that follow each other (DOMAIN A8)."""

from __future__ import annotations

from bisect import bisect_right, insort_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.night.recording import Segment
from kernels.runs import DRIFT_SAMPLES, follow, unbroken
from kernels.runs import EARLIEST_US as EARLIEST_US
from kernels.runs import LATEST_US as LATEST_US
from kernels.runs import SECOND_US as SECOND_US

DOUBTFUL_US = 1_420_070_400 * SECOND_US
"""2015-01-01: from 2005 to here a date is flagged, not rejected."""
DRIFT, BAD_RATE = 0.02, 0.10
_FEWEST_PAIRS, _SHARE_ALIKE = 5, 0.8
_Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Blocks:
    """n blocks of a channel in the order in which they were recorded; all arrays: (n,).

    t0_us: int64 UTC µs of the first sample. The samples are those of begin … end − 1 (int64). forced: bool, begins a
    segment even where it meets its predecessor; what lies between the two says nothing of the rate then.
    """

    t0_us: _Ints
    fs_hz: NDArray[np.float64]
    begin: _Ints
    end: _Ints
    forced: NDArray[np.bool_]
    samples: NDArray[np.int32]

    @property
    def sizes(self) -> _Ints:
        return self.end - self.begin

    def take(self, rows: NDArray[np.bool_] | _Ints) -> Blocks:
        begin, end = self.begin[rows], self.end[rows]
        return Blocks(self.t0_us[rows], self.fs_hz[rows], begin, end, self.forced[rows], self.samples)

    def values(self) -> NDArray[np.int32]:
        return gathered(self.samples, self.begin, self.end)


def gathered(samples: NDArray[np.int32], begin: _Ints, end: _Ints) -> NDArray[np.int32]:
    """The samples of the blocks, one or more, one behind the other: not copied where they lie so."""
    if (begin[1:] == end[:-1]).all():
        return samples[begin[0] : end[-1]]
    return np.concatenate([samples[a:b] for a, b in zip(begin.tolist(), end.tolist(), strict=True)])


def whole_us(t_us: NDArray[np.float64]) -> _Ints:
    """Times rounded to µs; what lies before 1970 or after 2100 stays so, whatever it is."""
    return np.rint(np.clip(t_us, -SECOND_US, LATEST_US)).astype(np.int64)


def in_order(blocks: Blocks, seq: _Ints, codes: Counter[str]) -> tuple[Segment, ...]:
    """Segments as `arrange` makes them, of blocks as `at_measured_rate` has them. What is one segment already, as
    almost all channels are, is seen by one kernel: the steps by themselves took 1.9 ms of a night."""
    if unbroken(blocks.t0_us, blocks.fs_hz, blocks.sizes, blocks.forced):
        return (Segment(int(blocks.t0_us[0]), float(blocks.fs_hz[0]), blocks.values()),)
    return arrange(at_measured_rate(blocks, seq, codes), codes)


def at_measured_rate(blocks: Blocks, seq: _Ints, codes: Counter[str]) -> Blocks:
    """The blocks at the rate that their own start times measure, where they agree on another one than declared. seq:
    (n,) int64, as the device numbered them.

    A rate more than 2 % off counts as FS_DRIFT; more than 10 % as FS_BAD, and then there are no blocks.
    """
    pairs = np.flatnonzero((np.diff(seq) == 1) & ~blocks.forced[1:])
    if len(pairs) < _FEWEST_PAIRS:
        return blocks
    sizes = blocks.sizes[pairs]
    steps_us = np.diff(blocks.t0_us.astype(np.float64))[pairs]
    ratios = steps_us * blocks.fs_hz[pairs] / (sizes * SECOND_US)
    ratio = float(np.median(ratios))
    alike = np.mean(np.abs(ratios - ratio) * sizes <= np.maximum(1.0, 0.002 * sizes)) >= _SHARE_ALIKE
    if not alike or abs(ratio - 1) * np.median(sizes) <= DRIFT_SAMPLES or ratio <= 0:
        return blocks
    if abs(1 / ratio - 1) > BAD_RATE:
        codes["FS_BAD"] += 1
        return blocks.take(pairs[:0])
    codes["FS_DRIFT"] += abs(1 / ratio - 1) > DRIFT
    return replace(blocks, fs_hz=blocks.fs_hz / ratio)


def arrange(blocks: Blocks, codes: Counter[str]) -> tuple[Segment, ...]:
    """Segments in time order without overlap, from blocks in the order in which they were recorded.

    Blocks that meet within one sample become one segment, except where forced. Counts T_DUP, T_CONFLICT, T_BACK,
    CLK_RESET and CLK_IMPLAUS in `codes`; a block that lands where time is already filled is dropped.
    """
    dated = blocks.take((blocks.t0_us >= 0) & (blocks.t0_us < LATEST_US))
    codes["CLK_IMPLAUS"] += len(blocks.t0_us) - len(dated.t0_us)
    once = _once(dated, codes)
    run, skip = np.empty((2, len(once.t0_us)), np.int64)
    resets, backs = follow(once.t0_us.astype(np.float64), once.fs_hz, once.sizes, once.forced, run, skip)
    codes["CLK_RESET"] += resets
    codes["T_BACK"] += backs
    later_us = np.rint(skip * SECOND_US / once.fs_hz).astype(np.int64)
    trimmed = replace(once, t0_us=once.t0_us + later_us, begin=once.begin + skip)
    return _in_time_order(_merged(trimmed.take(run >= 0), run[run >= 0]), codes)


def _once(blocks: Blocks, codes: Counter[str]) -> Blocks:
    """Of the blocks that begin at the same time only the first."""
    times, first, twin = np.unique(blocks.t0_us, return_index=True, return_inverse=True)
    if len(times) == len(twin):
        return blocks
    for again in np.flatnonzero(first[twin] != np.arange(len(twin))):
        one, other = (blocks.take(np.array([row])).values() for row in (first[twin[again]], again))
        codes["T_DUP" if np.array_equal(one, other) else "T_CONFLICT"] += 1
    return blocks.take(np.sort(first))


def _merged(blocks: Blocks, run: _Ints) -> list[Segment]:
    """Each run of blocks as one segment: at the stated rate if their anchors keep to it within a sample, else
    at the rate that the anchors measure. run: (n,) int64, 0 and ascending."""
    if not len(run):
        return []
    first = np.flatnonzero(np.diff(run, prepend=-1))
    last, lead = np.append(first[1:], len(run)) - 1, first[run]
    before = np.cumsum(blocks.sizes) - blocks.sizes
    before, after_us = before - before[lead], blocks.t0_us - blocks.t0_us[lead]
    stated = blocks.fs_hz[lead]
    astray = np.abs(after_us * stated / SECOND_US - before) > 1.0
    other = np.logical_or.reduceat(astray | (blocks.fs_hz != stated), first)
    fs_hz = np.divide(before[last] * SECOND_US, after_us[last], out=blocks.fs_hz[first], where=other)
    values = [
        gathered(blocks.samples, blocks.begin[a : b + 1], blocks.end[a : b + 1])
        for a, b in zip(first, last, strict=True)
    ]
    return [Segment(*of_one) for of_one in zip(blocks.t0_us[first].tolist(), fs_hz.tolist(), values, strict=True)]


def _in_time_order(segments: Sequence[Segment], codes: Counter[str]) -> tuple[Segment, ...]:
    """Sorted; where one reaches into another's time, the earlier recorded keeps it."""
    kept: list[Segment] = []
    for segment in segments:
        pieces: list[Segment] = [segment]
        at = max(bisect_right(kept, segment.t0_us, key=_start_us) - 2, 0)
        while at < len(kept) and kept[at].t0_us < segment.end_us:
            pieces = [rest for piece in pieces for rest in _outside(piece, kept[at])]
            at += 1
        if sum(len(piece.values) for piece in pieces) < len(segment.values):
            codes["T_CONFLICT"] += 1
        for piece in pieces:
            insort_right(kept, piece, key=_start_us)
    return tuple(kept)


def _start_us(segment: Segment) -> int:
    return segment.t0_us


def _after(segment: Segment, t_us: int) -> Segment | None:
    """What a segment has from t_us on."""
    skip = int(np.ceil((t_us - segment.t0_us) * segment.fs_hz / SECOND_US))
    if skip >= len(segment.values):
        return None
    t0_us = segment.t0_us + round(skip * SECOND_US / segment.fs_hz)
    return replace(segment, t0_us=t0_us, values=segment.values[skip:])


def _outside(segment: Segment, other: Segment) -> list[Segment]:
    """The parts of a segment before and after another one; the whole where they do not overlap by a sample."""
    slack_us = round(SECOND_US / segment.fs_hz)
    if segment.end_us <= other.t0_us + slack_us or segment.t0_us >= other.end_us - slack_us:
        return [segment]
    before = int(np.floor((other.t0_us - segment.t0_us) * segment.fs_hz / SECOND_US))
    parts = [replace(segment, values=segment.values[:before])] if before > 0 else []
    rest = _after(segment, other.end_us)
    return parts + ([rest] if rest is not None else [])
