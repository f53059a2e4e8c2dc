"""What the sweep knows of a series: the hours of its gapless values and the origins that ask for a forecast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.backtest.contract import Floats, History, Ints
from engine.backtest.series.asof import Known, State
from engine.backtest.series.origins import RECENT_H, SEASONAL_COVERAGE, SEASONAL_SPAN_H, SHORT_HOURS
from engine.backtest.series.segments import Flag


@dataclass(frozen=True, slots=True)
class Timeline:
    """Gapless hours of one series, made by `lay`. Hour numbers as in engine/backtest/grid.py.

    values: (n,) float64, finite. hours: (n,) int64, of each value, ascending; by one within a segment, a gap begins
    another. observed: (n,) bool, False = filled. origins: (m,) int64, ascending, only those whose status is ok.
    Of these are made: ends, the indices after each observed value, and the hours `known_from` when they have passed;
    begins, (n,), the index of the first value of a value's segment; count, (n + 1,), observed values before an index.
    Where late data changes what was known, the states of the series lie one after the other in all of these: from the
    hour changes[i] on the i-th rules, whose `ends` are those from offsets[i] to offsets[i + 1].
    """

    values: Floats
    hours: Ints
    observed: NDArray[np.bool_]
    origins: Ints
    ends: Ints
    known_from: Ints
    begins: Ints
    count: Ints
    changes: Ints
    offsets: Ints


@dataclass(frozen=True, slots=True)
class Views:
    """The as-of series at some instants; (k,) int64 each, indices into `Timeline.hours`.

    hour: the instants. begin: first value of the segment. end: after the last observed value. lead: hours since the
    last observed one had ended. Where nothing is observed yet begin = end = 0 and lead is 0.
    """

    hour: Ints
    begin: Ints
    end: Ints
    lead: Ints

    def at(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Views:
        """Some of them."""
        return Views(self.hour[rows], self.begin[rows], self.end[rows], self.lead[rows])


def lay(values: Floats, hours: Ints, observed: NDArray[np.bool_], origins: Ints) -> Timeline:
    """A timeline of its four arrays."""
    starts = np.flatnonzero(np.diff(hours, prepend=hours[:1] - 2) != 1)
    ends = np.flatnonzero(observed) + 1
    return Timeline(
        values=values,
        hours=hours,
        observed=observed,
        origins=origins,
        ends=ends,
        known_from=hours[ends - 1] + 1,
        begins=np.repeat(starts, np.diff(np.append(starts, hours.size))),
        count=np.concatenate([np.zeros(1, np.int64), np.cumsum(observed)]),
        changes=np.array([np.iinfo(np.int64).min]),
        offsets=np.array([0, ends.size]),
    )


def of(known: Known, origins: Ints) -> Timeline:
    """The timeline of a state of a series, its segments one after the other."""
    parts = known.segments
    return lay(
        np.concatenate([np.zeros(0), *(part.values for part in parts)]),
        np.concatenate([np.zeros(0, np.int64), *(np.arange(part.start, part.end) for part in parts)]),
        np.concatenate([np.zeros(0, np.bool_), *(part.flags == Flag.OBSERVED for part in parts)]),
        origins,
    )


def of_states(states: Sequence[State], origins: Ints) -> Timeline:
    """The timeline of all states of a series; before the first one's instants, and after the last one's, those rule."""
    laid = [of(state.known, origins) for state in states]
    if len(laid) == 1:
        return laid[0]
    base = np.cumsum([0, *(one.values.size for one in laid)])[:-1]
    ends = [one.ends + offset for one, offset in zip(laid, base, strict=True)]
    observed = np.concatenate([one.observed for one in laid])
    return Timeline(
        values=np.concatenate([one.values for one in laid]),
        hours=np.concatenate([one.hours for one in laid]),
        observed=observed,
        origins=origins,
        ends=np.concatenate(ends),
        known_from=np.concatenate([one.known_from for one in laid]),
        begins=np.concatenate([one.begins + offset for one, offset in zip(laid, base, strict=True)]),
        count=np.concatenate([np.zeros(1, np.int64), np.cumsum(observed)]),
        changes=np.array([np.iinfo(np.int64).min, *(int(state.at[0]) for state in states[1:])]),
        offsets=np.cumsum([0, *(part.size for part in ends)]),
    )


def look(timeline: Timeline, instants: Ints) -> Views:
    """What may be seen at each instant: segments cut after the last observed hour before it."""
    if not timeline.ends.size:
        zero = np.zeros(instants.size, np.int64)
        return Views(instants, zero, zero, zero)
    last, seen = _last(timeline, instants)
    end = timeline.ends[last]
    begin, lead = timeline.begins[end - 1], instants - timeline.known_from[last]
    return Views(instants, begin * seen, end * seen, lead * seen)


def _last(timeline: Timeline, instants: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """For each instant the place in `ends` of the last observed value, and whether there is one."""
    if timeline.changes.size == 1:
        last = np.searchsorted(timeline.known_from, instants, side="right") - 1
        return last, last >= 0
    state = np.searchsorted(timeline.changes, instants, side="right") - 1
    last = np.zeros(instants.size, np.int64)
    for number in np.unique(state).tolist():
        mine = state == number
        known = timeline.known_from[timeline.offsets[number] : timeline.offsets[number + 1]]
        last[mine] = timeline.offsets[number] + np.searchsorted(known, instants[mine], side="right") - 1
    return last, last >= timeline.offsets[state]


def same_segment(timeline: Timeline, earlier: Views, later: Views) -> NDArray[np.bool_]:
    """Whether the last hour seen at each earlier instant lies in the segment seen at the later one beside it; (k,)."""
    if not timeline.hours.size:
        return np.zeros(earlier.end.size, np.bool_)
    newest, first = timeline.hours[np.maximum(earlier.end, 1) - 1], timeline.hours[later.begin]
    return np.asarray((earlier.end > 0) & (later.end > 0) & (first <= newest))


def enough(timeline: Timeline, views: Views, history: History) -> NDArray[np.bool_]:
    """Whether the as-of series has the history that a model wants, as `engine.backtest.series.origins`; (k,) bool."""
    if history is History.ANY or not timeline.hours.size:
        return views.end > views.begin
    if history is History.SHORT:
        since = views.begin + views.hour - RECENT_H - timeline.hours[views.begin]
        first = np.clip(since, views.begin, views.end)
        return np.asarray(timeline.count[views.end] - timeline.count[first] >= SHORT_HOURS)
    span = views.end - views.begin
    covered = timeline.count[views.end] - timeline.count[views.begin] >= SEASONAL_COVERAGE * span
    return np.asarray((span >= SEASONAL_SPAN_H) & covered)
