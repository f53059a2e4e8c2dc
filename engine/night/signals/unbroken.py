"""Unbroken stretches of a channel: short gaps filled, longer ones between stretches (DOMAIN C7)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.night.recording import MISSING, Channel
from kernels.arrays import Samples

SHORT_GAP_S = 0.25
SHORT_GAP_SAMPLES = 2


@dataclass(frozen=True, slots=True)
class Stretch:
    """Sample i is raw[i]·scale + offset, and was taken at t0_us + i·1e6/fs_hz (UTC µs, t0 not rounded).

    raw: (n,) int32 as the segment holds it, float64 where gaps are filled; none missing. first: number of sample 0 in
    its segment.
    """

    t0_us: float
    fs_hz: float
    raw: Samples
    scale: float = 1.0
    offset: float = 0.0
    first: int = 0

    def __len__(self) -> int:
        return len(self.raw)

    def at(self, samples: NDArray[np.int64]) -> NDArray[np.float64]:
        """What the samples of these numbers say, in the channel's unit."""
        physical: NDArray[np.float64] = self.raw[samples].astype(np.float64) * self.scale + self.offset
        return physical

    def time_us(self, sample: NDArray[np.float64]) -> NDArray[np.int64]:
        """UTC µs of fractional sample numbers: the same wherever the stretch begins, if a sample takes whole µs."""
        before = np.floor(sample)
        begun_us = self.t0_us + before * (1e6 / self.fs_hz)
        t_us: NDArray[np.int64] = np.rint(begun_us + (sample - before) * (1e6 / self.fs_hz)).astype(np.int64)
        return t_us

    def first_at(self, t_us: NDArray[np.int64]) -> NDArray[np.int64]:
        """Number of the first sample at or after each time, clipped to 0 … n."""
        place: NDArray[np.float64] = np.ceil((t_us - self.t0_us) * (self.fs_hz / 1e6) - 1e-6)
        result: NDArray[np.int64] = np.clip(place, 0, len(self)).astype(np.int64)
        return result

    def edges(self, period_us: int) -> NDArray[np.int64]:
        """Sample numbers from 0 to n at which the clock passes a multiple of the period: ascending, no empty block."""
        first = int(self.t0_us // period_us) + 1
        last = int((self.t0_us + len(self) * 1e6 / self.fs_hz) // period_us)
        inner = self.first_at(np.arange(first, last + 1, dtype=np.int64) * period_us)
        every = np.concatenate([[0], inner, [len(self)]]).astype(np.int64)
        places: NDArray[np.int64] = every[np.diff(every, prepend=-1) > 0]
        return places


def unbroken(channel: Channel) -> Iterator[Stretch]:
    """The stretches of a channel in time order; gaps of ≤ 0.25 s or two samples in a segment become straight lines."""
    for segment in channel.segments:
        n = len(segment.values)
        if n and segment.present == n:
            yield Stretch(float(segment.t0_us), segment.fs_hz, segment.values, channel.scale, channel.offset)
            continue
        there = np.flatnonzero(segment.values != MISSING)
        longest = max(SHORT_GAP_SAMPLES, int(SHORT_GAP_S * segment.fs_hz))
        cuts = np.flatnonzero(np.diff(there) > longest + 1) + 1
        for held in np.split(there, cuts) if len(there) else ():
            first, last = int(held[0]), int(held[-1])
            own = Stretch(segment.t0_us + first * 1e6 / segment.fs_hz, segment.fs_hz,
                          segment.values[first : last + 1], channel.scale, channel.offset, first)  # fmt: skip
            if len(held) < len(own):
                filled = np.interp(np.arange(len(own)), held - first, own.at(held - first))
                own = replace(own, raw=filled, scale=1.0, offset=0.0)
            yield own
