"""Observed hours to gapless segments (DOMAIN H4): short gaps are interpolated, longer ones take the profile of the
days before, and a gap of more than 24 hours starts a new segment. A filled hour knows nothing after the gap's closing
hour.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from engine.backtest.contract import Floats

Flags = NDArray[np.int8]
INTERPOLATE_H = 3
INTERPOLATE_TEMPERATURE_H = 6
LONGEST_GAP_H = 24
PROFILE_DAYS = 7
DAY_H = 24


class Flag(IntEnum):
    """Where the value of an hour comes from."""

    OBSERVED = 0
    INTERPOLATED = 1
    """On the line between the two hours around the gap."""
    PROFILED = 2
    """Median of the same hour of day over the 7 days before the gap."""
    LEVELLED = 3
    """Median of all hours of those 7 days: none of them had this hour of day observed."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Hours start, start + 1, … without a gap, the first and the last observed. values: (n,) float64, finite.
    flags: (n,) int8, a `Flag` each."""

    start: int
    values: Floats
    flags: Flags

    @property
    def end(self) -> int:
        """The hour after the last."""
        return self.start + len(self.values)


def split(vital: str, start: int, values: Floats) -> tuple[Segment, ...]:
    """The segments of an hourly grid, oldest first. values: (n,) float64 from hour `start`, NaN = not observed.

    Cutting the grid after an observed hour cuts the segments there and changes nothing before.
    """
    seen = np.flatnonzero(np.isfinite(values))
    if not len(seen):
        return ()
    longest = INTERPOLATE_TEMPERATURE_H if vital.endswith("temp_c") else INTERPOLATE_H
    cuts = np.flatnonzero(np.diff(seen) > LONGEST_GAP_H + 1) + 1
    bounds = [0, *cuts.tolist(), len(seen)]
    return tuple(_segment(start, values, seen[a:b], longest) for a, b in pairwise(bounds))


def _segment(start: int, values: Floats, seen: NDArray[np.int64], longest: int) -> Segment:
    first, stop = int(seen[0]), int(seen[-1]) + 1
    filled = np.array(values[first:stop])
    flags = np.zeros(stop - first, np.int8)
    if len(seen) < stop - first:
        opening = np.flatnonzero(np.diff(seen) > 1)
        before, after = seen[opening] - first, seen[opening + 1] - first
        short = after - before - 1 <= longest
        _interpolate(filled, flags, before[short], after[short])
        observed = values[first:stop]
        for a, b in zip(before[~short].tolist(), after[~short].tolist(), strict=True):
            filled[a + 1 : b], flags[a + 1 : b] = _profile(observed, a + 1, b)
    return Segment(start + first, filled, flags)


def _interpolate(filled: Floats, flags: Flags, before: NDArray[np.int64], after: NDArray[np.int64]) -> None:
    width = after - before
    for k in range(1, int(width.max(initial=1))):
        inside = width > k
        a, b = before[inside], after[inside]
        filled[a + k] = filled[a] + (filled[b] - filled[a]) * (k / width[inside])
        flags[a + k] = Flag.INTERPOLATED


def _profile(observed: Floats, a: int, b: int) -> tuple[Floats, Flags]:
    """Values and flags of the gap [a, b), at most 24 hours, from the observed hours of the 7 days before it."""
    days = np.full(PROFILE_DAYS * DAY_H, np.nan)
    block = observed[max(0, a - len(days)) : a]
    days[len(days) - len(block) :] = block
    # Column j of a row of 24 hours that ends at the gap has the hour of day of the gap's hour j.
    by_hour = np.sort(days.reshape(PROFILE_DAYS, DAY_H)[:, : b - a], axis=0)  # NaN last
    n = np.isfinite(by_hour).sum(axis=0)
    column = np.arange(b - a)
    median = (by_hour[np.maximum(n - 1, 0) // 2, column] + by_hour[n // 2, column]) / 2
    level = np.median(block[np.isfinite(block)])
    flags = np.where(n > 0, Flag.PROFILED, Flag.LEVELLED).astype(np.int8)
    return np.where(n > 0, median, level), flags
