"""A series as it was known at an origin: the only way in which a backtest looks at data."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np

from engine.backtest.contract import Floats, Ints
from engine.backtest.series.hourly import HOUR_US, to_hours
from engine.backtest.series.segments import Flags, Segment, split
from engine.backtest.series.series import Readings, Series


@dataclass(frozen=True, slots=True)
class View:
    """What is known at `origin`: hours segment.start … segment.start + end − 1, the last of them observed.

    `end` is `end` of a fit with this cutoff, and `at` of a forecast with this origin, in `contract.Fits` over
    `segment.values`; what lies behind it in the segment came later.
    """

    origin: int
    segment: Segment
    end: int

    @property
    def lead(self) -> int:
        """Hours between the end of the newest observed hour and the origin: so many steps of a path are dropped."""
        return self.origin - self.segment.start - self.end

    @property
    def values(self) -> Floats:
        """(end,) float64, finite, oldest first."""
        return self.segment.values[: self.end]

    @property
    def flags(self) -> Flags:
        return self.segment.flags[: self.end]

    def begin(self, window_h: int | None) -> int | None:
        """Index of the window's first hour, origin − window; 0 where the window expands.

        None where the window reaches beyond the segment's start (it is never shortened), or holds nothing."""
        begin = 0 if window_h is None else self.origin - window_h - self.segment.start
        return begin if 0 <= begin < self.end else None


@dataclass(frozen=True, slots=True)
class Known:
    """A series with all that was known at some origins. start: number of the first hour. values: (n,) float64, NaN =
    not observed. last: (n + 1,) int64, last[i] = index of the last observed hour before index i, −1 if none."""

    start: int
    values: Floats
    segments: tuple[Segment, ...]
    last: Ints

    def positions(self, instants: Ints) -> tuple[Ints, Ints]:
        """For each of (k,) instants the number of its segment, and the index after the last observed hour in it: both
        −1 where nothing was observed before. Vectorised `view`."""
        last = self.last[np.clip(instants - self.start, 0, len(self.values))]
        found = last >= 0
        starts = np.array([segment.start for segment in self.segments], np.int64) - self.start
        number = np.searchsorted(starts, last, side="right") - 1
        end = last + 1 - starts[number] if len(starts) else last
        return number, np.where(found, end, -1)

    def view(self, origin: int) -> View | None:
        """None where nothing was observed before. `origin` is one of those that this state is for."""
        last = int(self.last[min(max(origin - self.start, 0), len(self.values))])
        if last < 0:
            return None
        newest = self.start + last
        segment = self.segments[bisect_right(self.segments, newest, key=lambda one: one.start) - 1]
        return View(origin, segment, newest + 1 - segment.start)


@dataclass(frozen=True, slots=True)
class State:
    """A series as known at each of the instants `at` (hour numbers, ascending); cut it there with `known.view`."""

    known: Known
    at: Ints


def know(vital: str, start: int, values: Floats) -> Known:
    """values: (n,) hourly from hour `start`, NaN = not observed."""
    seen = np.where(np.isfinite(values), np.arange(len(values)), -1)
    last = np.maximum.accumulate(np.concatenate([[-1], seen])).astype(np.int64)
    return Known(start, values, split(vital, start, values), last)


def states(series: Series, instants: Ints) -> list[State]:
    """What was known at each of `instants` (hour numbers, ascending), in their order.

    Without arrivals there is one state, cut by each view. With arrivals, hours are rebuilt from the readings that had
    arrived; instants between which nothing arrived share a state.
    """
    if series.readings is None:
        return [State(know(series.vital, series.start, series.values), instants)] if len(instants) else []
    known_from = np.maximum(series.readings.arrived, series.readings.ts_us // HOUR_US + 1)
    changes = np.sort(np.concatenate([known_from, series.readings.until]))
    number = np.searchsorted(changes, instants, side="right")
    groups = np.split(instants, np.flatnonzero(np.diff(number)) + 1) if len(instants) else []
    return [State(_rebuilt(series.vital, series.readings, known_from, int(group[0])), group) for group in groups]


def at(series: Series, instant: int) -> Known:
    """What was known at one instant (hour number)."""
    return states(series, np.array([instant], np.int64))[0].known


def _rebuilt(vital: str, readings: Readings, known_from: Ints, instant: int) -> Known:
    usable = (known_from <= instant) & (readings.until > instant)
    hours = to_hours(vital, readings.ts_us[usable], readings.value[usable], readings.weight[usable])
    return know(vital, hours.start, hours.values)
