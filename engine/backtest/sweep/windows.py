"""The fits of one window: which can be tried, which others they start from, and who chooses their form."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from engine.backtest.contract import COLD, Ints, Model
from engine.backtest.grid import Grid
from engine.backtest.sweep import timeline as timelines
from engine.backtest.sweep.cutoffs import last_cutoff
from engine.backtest.sweep.timeline import Timeline, Views

Codes = NDArray[np.int8]
NO_HOUR = np.iinfo(np.int64).min
"""Among hour numbers: none."""


class Role(IntEnum):
    """Why a fit is made. A configuration's own need comes first; the other two serve only other fits."""

    ASKED = 0
    ANCHOR = 1
    SELECT = 2


class Short(IntEnum):
    """Why a fit cannot be tried (its status is `too_short`); FITS: it can."""

    FITS = 0
    NOTHING = 1
    WINDOW = 2
    SLICE = 3
    HISTORY = 4
    OTHER_SEGMENT = 5


SENTENCES = {
    Short.FITS: "",
    Short.NOTHING: "nothing was observed before the cutoff",
    Short.WINDOW: "the window reaches beyond the first hour of the series, or of what follows its last long gap",
    Short.SLICE: "the slice has fewer hours than the model needs",
    Short.HISTORY: "the series has less history, or more holes, than the model needs",
    Short.OTHER_SEGMENT: "between the last gap of more than 24 hours and the cutoff nothing was observed",
}


@dataclass(frozen=True, slots=True)
class Sight:
    """A series as a model with a window sees it."""

    timeline: Timeline
    model: Model
    window_h: int | None

    def slices(self, hours: Ints) -> Slices:
        """The training slices of cutoffs at these hours, judged."""
        views = timelines.look(self.timeline, hours)
        start = views.begin
        if self.window_h is not None and self.timeline.hours.size:
            start = views.begin + hours - self.window_h - self.timeline.hours[views.begin]
        short = np.zeros(hours.size, np.int8)
        short[~timelines.enough(self.timeline, views, self.model.history)] = Short.HISTORY
        short[views.end - start < max(self.model.shortest, 1)] = Short.SLICE
        short[start < views.begin] = Short.WINDOW
        short[views.end == 0] = Short.NOTHING
        return Slices(views, np.clip(start, views.begin, views.end), short)


@dataclass(frozen=True, slots=True)
class Slices:
    """Training slices, (k,) each: y[start : views.end] at the cutoff views.hour; short: why not, as `Short`."""

    views: Views
    start: Ints
    short: Codes


@dataclass(frozen=True, slots=True)
class WindowFits:
    """All fits of one window by cutoff, (k,) each. role as `Role`; anchor and chosen are rows, COLD = none."""

    window_h: int | None
    slices: Slices
    role: Codes
    anchor: Ints
    chosen: Ints


def window_fits(sight: Sight, grid: Grid, asked: Ints, useful: NDArray[np.bool_]) -> WindowFits:
    """The fits asked for, and the auxiliary ones that they need.

    asked: (n,) int64, distinct cutoffs, ascending. useful: (n,) bool, whether a forecast can be made of the fit.
    """
    slices = sight.slices(asked)
    needed = asked[useful & (slices.short == Short.FITS)]
    while True:
        anchor, select = _anchors(sight, grid, needed), _selects(sight, grid, needed)
        others = np.concatenate([anchor[anchor != NO_HOUR], select[select != NO_HOUR]])
        if _has(needed, others):
            break
        needed = np.union1d(needed, others)
    cutoffs = asked if _has(asked, needed) else np.union1d(asked, needed)
    slices = slices if cutoffs is asked else sight.slices(cutoffs)
    row = np.searchsorted(cutoffs, needed)
    unused = slices.short == Short.FITS
    unused[row] = False
    slices.short[unused] = Short.OTHER_SEGMENT
    role = np.full(cutoffs.size, Role.SELECT, np.int8)
    role[np.searchsorted(cutoffs, anchor[anchor != NO_HOUR])] = Role.ANCHOR
    role[np.searchsorted(cutoffs, asked[useful])] = Role.ASKED
    role[slices.short != Short.FITS] = Role.ASKED
    return WindowFits(sight.window_h, slices, role, _rows(cutoffs, row, anchor), _rows(cutoffs, row, select))


def _has(hours: Ints, some: Ints) -> bool:
    """Whether all of `some` are among ascending `hours`."""
    if not some.size or not hours.size:
        return not some.size
    return bool((hours[np.minimum(np.searchsorted(hours, some), hours.size - 1)] == some).all())


def _anchors(sight: Sight, grid: Grid, cutoffs: Ints) -> Ints:
    """The hour of each cutoff's anchor; NO_HOUR where it is one, or where there is none that can be fitted."""
    hours = last_cutoff(cutoffs, grid.anchor_h, grid.phase_h)
    same = _able_in_segment(sight, hours, cutoffs)
    return np.where(same & (hours != cutoffs), hours, NO_HOUR)


def _selects(sight: Sight, grid: Grid, cutoffs: Ints) -> Ints:
    """The hour at which the form of each cutoff is chosen, its own perhaps; NO_HOUR where the model has one form.

    It is the select cutoff or, where that has too little data, the first hour after it that can be fitted."""
    if not sight.model.selects:
        return np.full(cutoffs.size, NO_HOUR)
    hours = last_cutoff(cutoffs, grid.select_h, grid.phase_h)
    late = ~_able_in_segment(sight, hours, cutoffs)
    for hour in np.unique(hours[late]).tolist():
        mine = np.flatnonzero(late & (hours == hour))
        tries = np.arange(hour + 1, cutoffs[mine[-1]] + 1)
        for row in mine.tolist():
            able = _able_in_segment(sight, tries, np.full(tries.size, cutoffs[row]))
            hours[row] = tries[np.argmax(able)]
    return hours


def _able_in_segment(sight: Sight, hours: Ints, cutoffs: Ints) -> NDArray[np.bool_]:
    """Whether a fit is possible at each of `hours` and sees the segment that the cutoff beside it sees."""
    slices, views = sight.slices(hours), timelines.look(sight.timeline, cutoffs)
    return np.asarray((slices.short == Short.FITS) & timelines.same_segment(sight.timeline, slices.views, views))


def _rows(cutoffs: Ints, row: Ints, hours: Ints) -> Ints:
    """Rows of `cutoffs` that lie at these hours, for each of the rows `row`; COLD for the others and for NO_HOUR."""
    rows = np.full(cutoffs.size, COLD, np.int64)
    rows[row] = np.where(hours == NO_HOUR, COLD, np.searchsorted(cutoffs, hours))
    return rows
