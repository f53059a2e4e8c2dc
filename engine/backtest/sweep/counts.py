"""How many fits and forecasts a sweep has over unbroken origins: separately run, and each distinct one once.

Formulas of BACKTEST 2; `engine.backtest.sweep.plan` counts what a real series has, whose origins have holes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import lcm

import numpy as np

from engine.backtest.contract import Ints
from engine.backtest.sweep.cutoffs import last_cutoff


@dataclass(frozen=True, slots=True)
class Origins:
    """n origins first, first + every, … (hour numbers)."""

    first: int
    n: int
    every_h: int = 1

    @property
    def last(self) -> int:
        return self.first + (self.n - 1) * self.every_h

    @property
    def hours(self) -> Ints:
        return np.arange(self.first, self.last + 1, self.every_h)


@dataclass(frozen=True, slots=True)
class Counts:
    """`steps`: hours that states are filtered over, from a fit to its origins; separately run, each origin filters its
    whole window again, as libraries do."""

    fits: int
    forecasts: int
    steps: int


def over(hours: int, first: int, every_h: int) -> Origins:
    """Origins every so many hours over a stretch of hours that begins at `first`.

    >>> over(336, 0, 24).n, over(337, 0, 24).n
    (14, 15)
    """
    return Origins(first, -(-hours // every_h), every_h)


def cutoffs_of(origins: Origins, refit_h: int, phase_h: int = 0) -> int:
    """|{⌊(o − φ)/r⌋}|: every origin has its own where they are r or more apart, else no cutoff between is left out."""
    if not origins.n or origins.every_h >= refit_h:
        return origins.n
    return (origins.last - phase_h) // refit_h - (origins.first - phase_h) // refit_h + 1


def cutoffs_of_all(origins: Origins, refits_h: Sequence[int], phase_h: int = 0) -> int:
    """|⋃ {c_r(o)}| over the refits. Hourly origins: inclusion and exclusion over the cutoffs from the first origin on,
    and those before it by hand; else counted one by one."""
    if not origins.n:
        return 0
    if origins.every_h > 1:
        found = [last_cutoff(origins.hours, refit, phase_h) for refit in refits_h]
        return int(np.unique(np.concatenate(found)).size)
    before = {origins.first - (origins.first - phase_h) % refit for refit in refits_h} - {origins.first}
    inside = 0
    for size in range(1, len(refits_h) + 1):
        for some in combinations(refits_h, size):
            every = lcm(*some)
            hits = (origins.last - phase_h) // every - (origins.first - 1 - phase_h) // every
            inside += hits if size % 2 else -hits
    return inside + len(before)


def separate(
    origins: Sequence[Origins], windows_h: Sequence[int], refits_h: Sequence[int], horizons: int = 1, phase_h: int = 0
) -> Counts:
    """Every window × refit × cadence of origins × horizon by itself."""
    fits = sum(cutoffs_of(some, refit, phase_h) for some in origins for refit in refits_h)
    n = sum(some.n for some in origins)
    filtered = sum(refit > 1 for refit in refits_h) * n * sum(windows_h)
    return Counts(horizons * len(windows_h) * fits, horizons * len(windows_h) * len(refits_h) * n, horizons * filtered)


def distinct(origins: Sequence[Origins], windows: int, refits_h: Sequence[int], phase_h: int = 0) -> Counts:
    """Every distinct fit and forecast once. Origins of several cadences share what they can; horizons cost nothing."""
    hours = np.unique(np.concatenate([some.hours for some in origins]))
    cutoffs = [last_cutoff(hours, refit, phase_h) for refit in refits_h]
    pairs = np.unique(np.stack([np.concatenate(cutoffs), np.tile(hours, len(refits_h))], axis=1), axis=0)
    first = np.flatnonzero(np.diff(pairs[:, 0], prepend=np.iinfo(np.int64).min) != 0)
    newest = np.maximum.reduceat(pairs[:, 1], first) if first.size else pairs[:, 1]
    fits = cutoffs_of_all(origins[0], refits_h, phase_h) if len(origins) == 1 else first.size
    return Counts(windows * fits, windows * len(pairs), windows * int((newest - pairs[first, 0]).sum()))
