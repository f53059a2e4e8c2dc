"""One model over one series and span of days: the batch of fits that a `Model` does, and what each fit is for."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.backtest.contract import COLD, Fits, Floats, Ints, Model
from engine.backtest.grid import EXPANDING_H, Grid
from engine.backtest.sweep import timeline as timelines
from engine.backtest.sweep.cutoffs import Demand, demand, distinct
from engine.backtest.sweep.late import unroll
from engine.backtest.sweep.timeline import Timeline
from engine.backtest.sweep.windows import NO_HOUR, Codes, Short, Sight, WindowFits, window_fits


@dataclass(frozen=True, slots=True)
class Span:
    """Cutoffs first ≤ c < stop, hour numbers, both on boundaries of `period_h`."""

    first: int
    stop: int


@dataclass(frozen=True, slots=True)
class Request:
    """What one model has to do, as arrays: a row each fit, by window (in the grid's order), then cutoff.

    Fits, (k,) each: window_h (EXPANDING_H = expanding); cutoff; train_start and select_cutoff (hour numbers, NO_HOUR =
    none); start, end (the slice of y, or what there is of it); role and short (see `windows.Role`, `windows.Short`).
    `tried`: (t,), the rows whose short is FITS; `fits` is their batch, in this order. Forecasts, (m,) each, as
    `fits.at`: origin; lead, so many first steps of the path lie before the origin; keep, steps asked for after those.
    Where late data changed what was known, a row may be in `tried` more than once (see `late`), and `fits` lie in
    copies behind the hours that start and end mean.
    """

    y: Floats
    window_h: Ints
    cutoff: Ints
    train_start: Ints
    select_cutoff: Ints
    start: Ints
    end: Ints
    role: Codes
    short: Codes
    tried: Ints
    fits: Fits
    origin: Ints
    lead: Ints
    keep: Ints


def period_h(grid: Grid, selects: bool) -> int:
    """Spans are cut, from the phase on, at multiples of this only: an anchor and a choice of form begin there."""
    return int(np.lcm(grid.anchor_h, grid.select_h)) if selects else grid.anchor_h


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the configurations of models with, or without, an update ask of a series: distinct cutoffs and whether a
    forecast can be made of each, and the distinct forecasts that can."""

    cutoffs: Ints
    useful: NDArray[np.bool_]
    forecasts: Demand


def want(timeline: Timeline, grid: Grid, updates: bool, span: Span | None = None) -> Wanted:
    """The part of a request that does not depend on the model."""
    asked = demand(grid, updates, timeline.origins)
    if span is not None:
        asked = asked.at((asked.cutoff >= span.first) & (asked.cutoff < span.stop))
    cutoffs = np.unique(asked.cutoff)
    forecasts = distinct(asked.at(_possible(timeline, asked)))
    return Wanted(cutoffs, np.isin(cutoffs, forecasts.cutoff), forecasts)


def request(timeline: Timeline, grid: Grid, model: Model, span: Span | None = None) -> Request:
    """Everything that the configurations of `model` need of a series, and the auxiliary fits that those need.

    No fit depends on which others are asked for. Where the select cutoff of a day has too little data, the form is
    chosen at the first hour of that day that has enough. Without an anchor of the same segment a fit is cold.
    """
    return requested(timeline, grid, model, want(timeline, grid, model.updates, span))


def requested(timeline: Timeline, grid: Grid, model: Model, wanted: Wanted) -> Request:
    """`request` of what is wanted already."""
    sights = [Sight(timeline, model, window) for window in grid.windows_h]
    windows = [window_fits(sight, grid, wanted.cutoffs, wanted.useful) for sight in sights]
    made = _assemble(timeline, grid, windows, wanted.forecasts)
    return made if timeline.changes.size == 1 else _unrolled(timeline, made)


def _unrolled(timeline: Timeline, made: Request) -> Request:
    found = unroll(timeline, made.fits)
    return replace(made, y=found.y, tried=made.tried[found.of], fits=found.fits, lead=made.lead - found.sooner)


def _possible(timeline: Timeline, asked: Demand) -> NDArray[np.bool_]:
    """Rows whose cutoff and origin see the same segment: nothing is forecast across a gap that begins another."""
    cutoff, latest = timelines.look(timeline, asked.cutoff), timelines.look(timeline, asked.latest)
    return timelines.same_segment(timeline, cutoff, latest)


@dataclass(frozen=True, slots=True)
class _Part:
    """One window's share of the columns of `Request` and of `Fits`; links count from its first tried fit."""

    fits: WindowFits
    tried: Ints
    anchor: Ints
    chosen: Ints
    rows: Ints
    lengths: Ints


def _part(fits: WindowFits, forecasts: Demand) -> _Part:
    """`rows` are the forecasts that can be tried, `lengths` how many each tried fit makes."""
    able = fits.slices.short == Short.FITS
    place = np.append(np.cumsum(able) - 1, COLD)  # where a link is COLD, -1, this is COLD again
    fit = np.searchsorted(fits.slices.views.hour, forecasts.cutoff)
    rows = np.flatnonzero(able[fit])
    lengths = np.bincount(fit[rows], minlength=able.size)[able]
    tried = np.flatnonzero(able)
    return _Part(fits, tried, place[fits.anchor[tried]], place[fits.chosen[tried]], rows, lengths)


def _assemble(timeline: Timeline, grid: Grid, windows: list[WindowFits], forecasts: Demand) -> Request:
    parts = [_part(fits, forecasts) for fits in windows]
    slices = [fits.slices for fits in windows]
    cutoff = np.concatenate([one.views.hour for one in slices])
    start, end = np.concatenate([one.start for one in slices]), np.concatenate([one.views.end for one in slices])
    lengths = [window or EXPANDING_H for window in grid.windows_h]
    tried = _joined([part.tried for part in parts], [fits.role.size for fits in windows])
    rows, seen = np.concatenate([part.rows for part in parts]), timelines.look(timeline, forecasts.origin)
    lead, keep = seen.lead[rows], grid.horizon_h + (forecasts.latest - forecasts.origin)[rows]
    steps = int((lead + keep).max(initial=grid.horizon_h))
    fits = _batch(parts, start[tried], end[tried], seen.end[rows], steps, grid.evaluations)
    return Request(
        y=timeline.values,
        window_h=np.repeat(np.array(lengths, np.int64), [fits.role.size for fits in windows]),
        cutoff=cutoff,
        train_start=_hours(timeline, start, end),
        select_cutoff=_select_cutoffs(cutoff, tried, fits.chosen),
        start=start,
        end=end,
        role=np.concatenate([fits.role for fits in windows]),
        short=np.concatenate([one.short for one in slices]),
        tried=tried,
        fits=fits,
        origin=forecasts.origin[rows],
        lead=lead,
        keep=keep,
    )


def _batch(parts: list[_Part], start: Ints, end: Ints, at: Ints, steps: int, evaluations: int) -> Fits:
    sizes = [part.tried.size for part in parts]
    lengths = np.concatenate([part.lengths for part in parts])
    return Fits(
        start=start,
        end=end,
        first=np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)]),
        at=at,
        anchor=_joined([part.anchor for part in parts], sizes),
        chosen=_joined([part.chosen for part in parts], sizes),
        form=("",) * start.size,
        steps=steps,
        evaluations=evaluations,
    )


def _select_cutoffs(cutoff: Ints, tried: Ints, chosen: Ints) -> Ints:
    """For each fit the hour of the one that chooses its form."""
    select = np.full(cutoff.size, NO_HOUR)
    linked = chosen != COLD
    select[tried[linked]] = cutoff[tried[chosen[linked]]]
    return select


def _joined(links: list[Ints], sizes: list[int]) -> Ints:
    """Indices into parts made indices into the parts one after the other; COLD stays."""
    offsets = np.cumsum([0, *sizes])
    return np.concatenate(
        [np.where(part == COLD, COLD, part + offset) for part, offset in zip(links, offsets, strict=False)]
    )


def _hours(timeline: Timeline, start: Ints, end: Ints) -> Ints:
    """The hour of the first value of each slice; NO_HOUR of an empty one."""
    if not timeline.hours.size:
        return np.full(start.size, NO_HOUR)
    return np.where(end > start, timeline.hours[np.minimum(start, timeline.hours.size - 1)], NO_HOUR)
