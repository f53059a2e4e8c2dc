"""Time order: from blocks as the device numbered them to segments that follow each other (DOMAIN A8)."""

from __future__ import annotations

from bisect import bisect_right, insort_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from engine.night.recording import Segment

SECOND_US = 10**6
EARLIEST_US = 1_104_537_600 * SECOND_US
"""2005-01-01: before it no wearable of this kind recorded."""
DOUBTFUL_US = 1_420_070_400 * SECOND_US
"""2015-01-01: from 2005 to here a date is flagged, not rejected."""
LATEST_US = 4_102_444_800 * SECOND_US
"""2100-01-01: later times are forged or overflown."""
_RESET_2010_US = (1_262_304_000 * SECOND_US, 1_264_982_400 * SECOND_US)
_SYNC_US = 2 * SECOND_US
DRIFT, BAD_RATE = 0.02, 0.10
_FEWEST_PAIRS, _SHARE_ALIKE, _DRIFT_SAMPLES = 5, 0.8, 0.5


def at_measured_rate(
    blocks: Sequence[Segment], seqs: Sequence[int], codes: Counter[str], firsts: frozenset[int] = frozenset()
) -> Sequence[Segment]:
    """The blocks at the rate that their own start times measure, where they agree on another one than declared. What
    lies between a block in `firsts` (indices) and its predecessor says nothing of the rate.

    A rate more than 2 % off counts as FS_DRIFT; more than 10 % as FS_BAD, and then there are no blocks.
    """
    steps = zip(blocks, blocks[1:], seqs, seqs[1:], range(1, len(blocks)), strict=False)
    pairs = [(a, b) for a, b, i, j, at in steps if j == i + 1 and at not in firsts]
    ratios = np.array([(b.t0_us - a.t0_us) * a.fs_hz / (len(a.values) * SECOND_US) for a, b in pairs])
    if len(ratios) < _FEWEST_PAIRS:
        return blocks
    ratio = float(np.median(ratios))
    sizes = np.array([len(a.values) for a, _ in pairs])
    alike = np.mean(np.abs(ratios - ratio) * sizes <= np.maximum(1.0, 0.002 * sizes)) >= _SHARE_ALIKE
    if not alike or abs(ratio - 1) * np.median(sizes) <= _DRIFT_SAMPLES or ratio <= 0:
        return blocks
    if abs(1 / ratio - 1) > BAD_RATE:
        codes["FS_BAD"] += 1
        return ()
    codes["FS_DRIFT"] += abs(1 / ratio - 1) > DRIFT
    return [replace(block, fs_hz=block.fs_hz / ratio) for block in blocks]


def arrange(blocks: Sequence[Segment], forced: frozenset[int], codes: Counter[str]) -> tuple[Segment, ...]:
    """Segments in time order without overlap, from blocks in the order in which they were recorded.

    Blocks that meet within one sample become one segment, except at the indices in `forced`. Counts T_DUP, T_CONFLICT,
    T_BACK, CLK_RESET and CLK_IMPLAUS in `codes`; a block that lands where time is already filled is dropped.
    """
    runs: list[list[Segment]] = []
    seen: dict[int, Segment] = {}
    for index, block in enumerate(blocks):
        if not 0 <= block.t0_us < LATEST_US:
            codes["CLK_IMPLAUS"] += 1
            continue
        twin = seen.setdefault(block.t0_us, block)
        if twin is not block:
            codes["T_DUP" if np.array_equal(twin.values, block.values) else "T_CONFLICT"] += 1
            continue
        _append(runs, block, index in forced, codes)
    return _in_time_order([_merge(run) for run in runs], codes)


def _append(runs: list[list[Segment]], block: Segment, forced: bool, codes: Counter[str]) -> None:
    """Put a block behind the last one, or begin a new run with it."""
    if not runs:
        runs.append([block])
        return
    end_us = runs[-1][-1].end_us
    step_us = block.t0_us - end_us
    jitter_us = SECOND_US / block.fs_hz
    if step_us < -_SYNC_US:
        codes["CLK_RESET"] += 1
        if not _unplaceable(block.t0_us):
            runs.append([block])
    elif step_us < -jitter_us:
        codes["T_BACK"] += 1
        rest = _after(block, end_us)
        if rest is not None:
            runs.append([rest])
    elif forced or step_us > jitter_us:
        runs.append([block])
    else:
        runs[-1].append(block)


def _unplaceable(t0_us: int) -> bool:
    """Whether a time is one that clocks fall back to: 1970, 2000, January 2010."""
    return t0_us < EARLIEST_US or _RESET_2010_US[0] <= t0_us < _RESET_2010_US[1]


def _after(segment: Segment, t_us: int) -> Segment | None:
    """What a segment has from t_us on."""
    skip = int(np.ceil((t_us - segment.t0_us) * segment.fs_hz / SECOND_US))
    if skip >= len(segment.values):
        return None
    t0_us = segment.t0_us + round(skip * SECOND_US / segment.fs_hz)
    return replace(segment, t0_us=t0_us, values=segment.values[skip:])


def _merge(run: Sequence[Segment]) -> Segment:
    """One segment of contiguous blocks: at their stated rate if their anchors keep to it within a sample, else at the
    rate that the anchors measure."""
    first = run[0]
    if len(run) == 1:
        return first
    count, astray = 0, 0.0
    for before, block in pairwise(run):
        count += len(before.values)
        astray = max(astray, abs((block.t0_us - first.t0_us) * first.fs_hz / SECOND_US - count))
    same = all(block.fs_hz == first.fs_hz for block in run)
    kept = same and astray <= 1.0
    fs_hz = first.fs_hz if kept else float(np.divide(count * SECOND_US, run[-1].t0_us - first.t0_us))
    return Segment(first.t0_us, fs_hz, np.concatenate([block.values for block in run]))


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


def _outside(segment: Segment, other: Segment) -> list[Segment]:
    """The parts of a segment before and after another one; the whole where they do not overlap by a sample."""
    slack_us = round(SECOND_US / segment.fs_hz)
    if segment.end_us <= other.t0_us + slack_us or segment.t0_us >= other.end_us - slack_us:
        return [segment]
    before = int(np.floor((other.t0_us - segment.t0_us) * segment.fs_hz / SECOND_US))
    parts = [replace(segment, values=segment.values[:before])] if before > 0 else []
    rest = _after(segment, other.end_us)
    return parts + ([rest] if rest is not None else [])
