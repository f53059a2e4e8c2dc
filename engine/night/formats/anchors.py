"""From blocks that carry one time stamp each to segments of constant rate: the rate is measured, not declared.

Knots lie at fixed block numbers, so that what is lost in one place moves no sample more than a quarter of an hour away.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.night.clock import BAD_RATE, LATEST_US, SECOND_US, Blocks, arrange, whole_us
from engine.night.recording import Segment

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
SPAN_S, LONGEST_SPAN_S, CLOSE_SAMPLES = 60.0, 900.0, 1.5
"""A rate is measured over at most a minute (a run's first and last: a minute and a half), and over up to 15 where all
anchors then lie within 1.5 samples of the line. In the first five minutes of a real recording the rate drifts by 0.2 %:
one line for them missed anchors by 60 ms. Tried a minute everywhere: 680 segments a night, and the module took 40 ms a
million values instead of 23."""
LEAST_SPAN_S = 4.0
_FEWEST_PAIRS = 5
_ASTRAY, _ASTRAY_SAMPLES = 0.05, 2.0


@dataclass(frozen=True, slots=True)
class Anchors:
    """n blocks in the order in which they were recorded.

    seq: (n,) int64 block numbers; start: (n + 1,) int64 running sample count; index: (n,) int64 running number of the
    sample that was taken at t_us: (n,) float64 µs. fs_hz: as declared.
    """

    seq: Ints
    start: Ints
    index: Ints
    t_us: Floats
    fs_hz: float


@dataclass(frozen=True, slots=True)
class Spans:
    """Samples low … high − 1 (running numbers) at t0_us + i·1e6/fs_hz; in time order where `ordered`."""

    low: Ints
    high: Ints
    t0_us: Floats
    fs_hz: Floats

    def segments(self, samples: NDArray[np.int32], codes: Counter[str]) -> tuple[Segment, ...]:
        """The segments of one channel. samples: (n,) int32 by running number."""
        t0_us = whole_us(self.t0_us)
        if not self.ordered():
            every = np.ones(len(t0_us), np.bool_)
            return arrange(Blocks(t0_us, self.fs_hz, self.low, self.high, every, samples), codes)
        columns = (column.tolist() for column in (self.low, self.high, t0_us, self.fs_hz))
        return tuple(Segment(at, fs_hz, samples[low:high]) for low, high, at, fs_hz in zip(*columns, strict=True))

    def ordered(self) -> bool:
        """Whether no span begins a sample or more before its predecessor's end, and all lie between 1970 and 2100."""
        period = SECOND_US / self.fs_hz
        end = self.t0_us + (self.high - self.low) * period
        follows = self.t0_us[1:] > end[:-1] - period[:-1]
        return bool(follows.all() and (self.t0_us >= 0).all() and (self.t0_us < LATEST_US).all())

    def times_us(self, index: Ints) -> Ints:
        """(m,) int64 UTC µs of samples by running number; samples in no span are left out."""
        span = np.searchsorted(self.low, index, side="right") - 1
        inside = (span >= 0) & (index < self.high[span])
        span, index = span[inside], index[inside]
        at: Floats = self.t0_us[span] + (index - self.low[span]) * SECOND_US / self.fs_hz[span]
        return np.rint(at).astype(np.int64)

    def by_block(self, start: Ints) -> Spans:
        """The same course of time for a channel with one sample a block, taken at the block's first sample."""
        low, high = np.searchsorted(start[:-1], self.low), np.searchsorted(start[:-1], self.high)
        own = high > low
        low, high, first = low[own], high[own], self.low[own]
        per_block = (start[high] - start[low]) / (high - low)
        t0_us = self.t0_us[own] + (start[low] - first) * SECOND_US / self.fs_hz[own]
        return Spans(low, high, t0_us, self.fs_hz[own] / per_block)


def measure(anchors: Anchors, codes: Counter[str]) -> Spans:
    """Spans of constant rate, each measured between two anchors.

    A span ends where a block is missing or where time steps by over 5 % and two samples more or less than the rate
    asks for. What is too short to measure has the recording's median rate. A median over 10 % from the declared rate
    counts FS_BAD and gives no span.
    """
    whole_hz = _median_rate(anchors)
    if abs(whole_hz / anchors.fs_hz - 1) > BAD_RATE:
        codes["FS_BAD"] += 1
        none = np.zeros(0)
        return Spans(none.astype(np.int64), none.astype(np.int64), none, none)
    first = _breaks(anchors, whole_hz)
    last = np.append(first[1:], True)
    at, n = np.arange(len(first)), len(first)
    begin = np.maximum.accumulate(np.where(first, at, 0))
    end = np.minimum.accumulate(np.where(last, at, n)[::-1])[::-1]
    return _between(anchors, _knots(anchors, begin, end), begin, end, whole_hz)


def _median_rate(anchors: Anchors) -> float:
    """The rate that the pairs of successive blocks agree on; as declared with fewer than five pairs."""
    samples, elapsed_us = np.diff(anchors.index), np.diff(anchors.t_us)
    usable = (np.diff(anchors.seq) == 1) & (samples > 0) & (elapsed_us > 0)
    if np.count_nonzero(usable) < _FEWEST_PAIRS:
        return anchors.fs_hz
    return float(np.median(samples[usable] * SECOND_US / elapsed_us[usable]))


def _breaks(anchors: Anchors, fs_hz: float) -> NDArray[np.bool_]:
    """(n,) bool: the block does not go on where its predecessor ended."""
    expected = np.diff(anchors.index) / fs_hz * SECOND_US
    astray_us = np.abs(np.diff(anchors.t_us) - expected)
    jumps = astray_us > _ASTRAY * np.abs(expected) + _ASTRAY_SAMPLES * SECOND_US / fs_hz
    return np.concatenate([[True], jumps | (np.diff(anchors.seq) != 1)])


def _knots(anchors: Anchors, begin: Ints, end: Ints) -> Ints:
    """Blocks whose anchors bound a span: the first and last of each run, and inside it block numbers that are multiples
    of powers of two, unless close to an end. begin, end: (n,) int64, the ends of each block's run."""
    at = np.arange(len(begin))
    block_s = max(float(np.median(np.diff(anchors.start))), 1.0) / anchors.fs_hz
    step = 2 ** max(int(np.log2(max(SPAN_S / block_s, 1.0))), 0)
    far = (at - begin >= step / 2) & (end - at >= step / 2)
    knot = (at == begin) | (at == end) | ((anchors.seq % step == 0) & far)
    while 2 * step * block_s <= LONGEST_SPAN_S:
        step *= 2
        a = np.flatnonzero(knot & (anchors.seq % step == 0) & (at + step <= end))
        a = a[knot[a + step]]
        a = a[_straight(anchors, a, step)]
        inside = np.zeros(len(knot) + 1, np.int64)
        np.add.at(inside, a + 1, 1)
        np.add.at(inside, a + step, -1)
        knot &= np.cumsum(inside[:-1]) == 0
    return np.flatnonzero(knot)


def _straight(anchors: Anchors, a: Ints, step: int) -> NDArray[np.bool_]:
    """(m,) bool: the anchors between blocks a and a + step lie close to the line through those two."""
    blocks = a[:, None] + np.arange(step + 1)
    samples = (anchors.index[blocks] - anchors.index[a][:, None]).astype(np.float64)
    elapsed_us = anchors.t_us[blocks] - anchors.t_us[a][:, None]
    astray_us = np.abs(elapsed_us - samples * (elapsed_us[:, -1:] / np.maximum(samples[:, -1:], 1.0)))
    straight: NDArray[np.bool_] = astray_us.max(axis=1, initial=0.0) <= CLOSE_SAMPLES * SECOND_US / anchors.fs_hz
    return straight


def _between(anchors: Anchors, knots: Ints, begin: Ints, end: Ints, whole_hz: float) -> Spans:
    """One span from each knot to the next of its run; the outer ones reach to the run's first and last sample."""
    first, last = knots == begin[knots], knots == end[knots]
    a, b = knots[~last | first], knots[~first | last]
    samples, elapsed_us = anchors.index[b] - anchors.index[a], anchors.t_us[b] - anchors.t_us[a]
    long = (samples >= LEAST_SPAN_S * whole_hz) & (elapsed_us > 0)
    fs_hz = np.where(long, samples * SECOND_US / np.where(long, elapsed_us, 1.0), whole_hz)
    low, high = anchors.start[begin[a]], anchors.start[end[a] + 1]
    low = np.where(a == begin[a], low, np.clip(anchors.index[a], low, high))
    high = np.where(b == end[b], high, np.clip(anchors.index[b], low, high))
    t0_us = anchors.t_us[a] + (low - anchors.index[a]) * SECOND_US / fs_hz
    own = high > low
    return Spans(low[own], high[own], t0_us[own], fs_hz[own])
