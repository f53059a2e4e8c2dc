"""All fits of one model over one series and span of days, from the series to the rows that come of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from engine.backtest.contract import Floats, Model, Params, Sweeping
from engine.backtest.fits.batch import Fate, FitStatus, Fitting, nothing, paths_of, subset
from engine.backtest.fits.fitting import Rules, fit_all, names
from engine.backtest.fits.rows import Slices, attempt_rows, fit_rows, stored
from engine.backtest.grid import Grid
from engine.backtest.series.asof import states
from engine.backtest.series.origins import judge, origins
from engine.backtest.series.series import Series
from engine.backtest.sweep import timeline
from engine.backtest.sweep.keys import keys
from engine.backtest.sweep.requests import Request, Span, request
from engine.backtest.sweep.timeline import Timeline
from engine.work import Death
from kernels.slices import describe_slices

CONSTANT = Fate(FitStatus.CONSTANT, None, "every hour of the slice has the same value; it is the forecast")
FLOOR: Mapping[str, float] = {"hr_bpm": 1.0}
"""Half of the width of the interval that a constant slice gives (DOMAIN H4); 0 for other vitals."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be fitted: the model (its name in the tables and its identity), the grid (its `models` do not count),
    the span, the fits that ended a process, and `Rules.budget_s`."""

    name: str
    sha256: str
    model: Model
    grid: Grid
    span: Span
    deaths: tuple[Death, ...] = ()
    budget_s: float | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """Rows of `fits` and `attempts`, and the fate of every fit that was tried."""

    fits: pa.Table
    attempts: pa.Table
    fates: Sequence[Fate]


def evaluate(series: Series, asked: Asked, work_key: str) -> Answered:
    """Every fit, whatever comes of it, as a row."""
    seen = lay(series, asked.grid, asked.span)
    wanted = request(seen, asked.grid, asked.model, asked.span)
    slices = describe(seen, wanted)
    done = _fit(series.vital, wanted, slices, asked)
    return _answer(series, wanted, slices, done, asked, work_key)


def lay(series: Series, grid: Grid, span: Span | None = None) -> Timeline:
    """The hours of a series and those of its origins at which a forecast may be published.

    Where arrivals are known, the hours are as they were known at each instant of the span; without one, as at last.
    """
    asked = origins(series.start, series.end, grid)
    late = series.readings is not None and span is not None
    if late and span is not None:
        asked = asked[(asked >= span.first) & (asked < span.stop + max(grid.refits_h))]
    known = states(series, asked)
    judged = judge(known)
    if not known:
        return timeline.lay(*_nothing())
    if late and span is not None:
        known = states(series, np.arange(span.first, asked[-1] + 1))
    return timeline.of_states(known if late else known[-1:], judged.at[judged.ok])


def _nothing() -> tuple[Floats, NDArray[np.int64], NDArray[np.bool_], NDArray[np.int64]]:
    return np.zeros(0), np.zeros(0, np.int64), np.zeros(0, np.bool_), np.zeros(0, np.int64)


def describe(seen: Timeline, wanted: Request) -> Slices:
    """The training slices in numbers."""
    k = wanted.cutoff.size
    places, moments = np.empty((k, 3), np.int64), np.empty((k, 4))
    arrays = (wanted.y, seen.observed, wanted.start, wanted.end)
    describe_slices(*map(np.ascontiguousarray, arrays), places, moments)
    return Slices(places, moments, seen.hours)


def _fit(vital: str, wanted: Request, slices: Slices, asked: Asked) -> Fitting:
    """Models never see a constant slice: its value is the forecast."""
    constant = slices.constant[wanted.tried]
    rows = wanted.tried[~constant]
    sweeps = isinstance(asked.model, Sweeping)
    named = () if sweeps else names(wanted.window_h[rows].tolist(), wanted.cutoff[rows].tolist())
    fits = subset(wanted.fits, ~constant) if constant.any() else wanted.fits
    done = fit_all(asked.model, wanted.y, fits, Rules(named, asked.deaths, asked.budget_s))
    return _with_constants(vital, wanted, constant, done) if constant.any() else done


def _with_constants(vital: str, wanted: Request, constant: NDArray[np.bool_], done: Fitting) -> Fitting:
    """All fits of the batch again, out of those that a model saw and those of constant slices."""
    fits, whole = wanted.fits, nothing(wanted.fits)
    floor = FLOOR.get(vital, 0.0)
    level = np.repeat(wanted.y[fits.start], np.diff(fits.first))[:, None]
    mine = paths_of(fits, constant)
    paths = ((whole.mean, done.mean, 0.0), (whole.low, done.low, -floor), (whole.high, done.high, floor))
    for values, given, shift in paths:
        values[~mine] = given
        values[mine] = level[mine] + shift
    params: list[Params | None] = [None] * constant.size
    for place, row in enumerate(np.flatnonzero(~constant).tolist()):
        whole.fate[row], params[row], whole.form[row] = done.fate[place], done.params[place], done.form[place]
        whole.warmed[row] = done.warmed[place]
    for row in np.flatnonzero(constant).tolist():
        whole.fate[row] = CONSTANT
    for all_, some in ((whole.evaluations, done.evaluations), (whole.cpu_s, done.cpu_s), (whole.wall_s, done.wall_s)):
        all_[~constant] = some
    return replace(whole, params=params)


def _answer(series: Series, wanted: Request, slices: Slices, done: Fitting, asked: Asked, work_key: str) -> Answered:
    common = {
        "work_key": work_key,
        "subject_id": series.subject_id,
        "vital": series.vital,
        "model": asked.name,
    }
    made = keys(wanted, asked.sha256, done.warmed)
    grid = asked.grid
    kept = stored(wanted, grid.anchor_h, grid.phase_h, grid.keep_params)
    return Answered(
        fit_rows(common, wanted, slices, done, made, kept), attempt_rows(common, wanted, done, made), done.fate
    )
