"""Fits a batch: at once where the model sweeps in compiled code, else one fit after the other, each a piece.

Whatever a fit does, the others stay as they are: what it raises is caught, what it gives is judged, and a fit that
ended its process (`Death`) is not tried again.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from json import JSONEncoder

import numpy as np

from engine.backtest.contract import COLD, Fits, Fitted, Floats, Model, Params, Paths, Sweeping, Swept
from engine.backtest.fits.batch import OK, Fate, FitStatus, Fitting, nothing, paths_of
from engine.work import Death
from engine.workers.failures import Failure, caught, shorten
from engine.workers.telling import piece

SWEEP = "sweep"
"""The only piece of a model that sweeps."""
NOT_FINITE = Fate(FitStatus.NONFINITE, None, "a forecast or a parameter is no finite number")
_JSON = JSONEncoder(separators=(",", ":"), allow_nan=False)
GIVEN_UP = "not tried: too many fits before it ended their process"


@dataclass(frozen=True, slots=True)
class Rules:
    """`names` of the fits as pieces, none for a model that sweeps; `deaths`, what ended earlier processes. `budget_s`:
    CPU seconds above which a fit came too late to be used; since those differ between two equal runs, a run with it is
    not comparable."""

    names: Sequence[str]
    deaths: Sequence[Death] = ()
    budget_s: float | None = None


def fit_all(model: Model, y: Floats, fits: Fits, rules: Rules) -> Fitting:
    """Every fit and its forecasts, or why there are none."""
    if not fits.end.size:
        return nothing(fits)
    done = _sweep(model, y, fits, rules) if isinstance(model, Sweeping) else _one_by_one(model, y, fits, rules)
    return _judged(fits, done, rules.budget_s)


def _sweep(model: Sweeping, y: Floats, fits: Fits, rules: Rules) -> Fitting:
    done = nothing(fits)
    if rules.deaths:
        return replace(done, fate=[_fate(rules.deaths[-1])] * fits.end.size)
    piece(SWEEP)
    wall_s, cpu_s = time.perf_counter(), time.thread_time()
    swept = caught(model.sweep, y, fits)
    wall_s, cpu_s = time.perf_counter() - wall_s, time.thread_time() - cpu_s
    piece(None)
    if isinstance(swept, Failure):
        return replace(done, fate=[_raised(swept)] * fits.end.size)
    return _swept(fits, done, swept, cpu_s, wall_s)


def _swept(fits: Fits, done: Fitting, swept: Swept, cpu_s: float, wall_s: float) -> Fitting:
    """Seconds are shared out by the values that a fit reads: its slice, once more for each evaluation."""
    read = (fits.end - fits.start) * (1 + swept.evaluations)
    share = read / max(int(read.sum()), 1)
    fate = [Fate(FitStatus.ERROR, "FitError", shorten(text)) if text else OK for text in swept.failures]
    low, high = (done.low if half is None else half for half in (swept.paths.low, swept.paths.high))
    return Fitting(
        fate,
        swept.params,
        list(swept.form),
        _warmed(fits, fate, swept.form),
        swept.evaluations,
        share * cpu_s,
        share * wall_s,
        swept.paths.mean,
        low,
        high,
    )


def _warmed(fits: Fits, fate: Sequence[Fate], form: Sequence[str]) -> list[bool]:
    """Whether each fit's anchor can have started it: it was good, and had the same form."""
    return [
        anchor != COLD and fate[anchor] is OK and form[anchor] == form[i]
        for i, anchor in enumerate(fits.anchor.tolist())
    ]


def _one_by_one(model: Model, y: Floats, fits: Fits, rules: Rules) -> Fitting:
    params: list[Params | None] = [None] * fits.end.size
    done, dead = replace(nothing(fits), params=params), {death.piece: death for death in rules.deaths}
    given_up: Death | None = None
    for i, name in enumerate(rules.names):
        if name in dead:
            done.fate[i] = _fate(dead[name])
            given_up = dead[name] if dead[name].and_later else given_up
        elif given_up is not None:
            done.fate[i] = replace(_fate(given_up), status=FitStatus.QUARANTINED, message=GIVEN_UP)
        else:
            piece(name)
            wall_s, cpu_s = time.perf_counter(), time.thread_time()
            params[i] = _fit_one(model, y, fits, i, done)
            done.wall_s[i], done.cpu_s[i] = time.perf_counter() - wall_s, time.thread_time() - cpu_s
    piece(None)
    return done


def _fit_one(model: Model, y: Floats, fits: Fits, i: int, done: Fitting) -> Params | None:
    """What the fit learned, None unless it forecasts; all else that came of it is written into `done`."""
    slice_ = y[fits.start[i] : fits.end[i]]
    form = _form(model, slice_, fits, i, done)
    if isinstance(form, Failure):
        done.fate[i] = _raised(form)
        return None
    done.form[i] = form
    anchor = int(fits.anchor[i])
    warm = done.params[anchor] if anchor != COLD and done.form[anchor] == form else None
    done.warmed[i] = warm is not None
    fitted = caught(model.fit, slice_, form, warm, fits.evaluations)
    if isinstance(fitted, Failure):
        done.fate[i] = _raised(fitted)
        return None
    done.evaluations[i] = fitted.evaluations
    rows = slice(int(fits.first[i]), int(fits.first[i + 1]))
    paths = _predicted(model, y, fits, i, fitted, rows)
    if isinstance(paths, Failure):
        done.fate[i] = _raised(paths)
        return None
    if not _is_json(fitted.params):
        done.fate[i] = NOT_FINITE
        return None
    done.mean[rows] = paths.mean
    if paths.low is not None and paths.high is not None:
        done.low[rows], done.high[rows] = paths.low, paths.high
    return fitted.params


def _form(model: Model, slice_: Floats, fits: Fits, i: int, done: Fitting) -> str | Failure:
    """What was chosen for this fit: by an earlier one where that came to a form, else by itself."""
    if not model.selects:
        return fits.form[i]
    chosen = int(fits.chosen[i])
    if chosen not in (COLD, i) and done.form[chosen]:
        return done.form[chosen]
    return fits.form[i] or caught(model.select, slice_, fits.evaluations)


def _predicted(model: Model, y: Floats, fits: Fits, i: int, fitted: Fitted, rows: slice) -> Paths | Failure:
    at = fits.at[rows]
    if not at.size:
        return Paths(np.empty((0, fits.steps)))
    end = int(fits.end[i])
    return caught(model.predict, fitted.params, y[end : int(at[-1])], at - end, fits.steps)


def _judged(fits: Fits, done: Fitting, budget_s: float | None) -> Fitting:
    """Fits that gave numbers which are none, or gave them too late, gave nothing."""
    bad = np.zeros(fits.end.size, np.bool_)
    bad[np.repeat(np.arange(bad.size), np.diff(fits.first))[~np.isfinite(done.mean).all(axis=1)]] = True
    late = done.cpu_s > (np.inf if budget_s is None else budget_s)
    for i in np.flatnonzero(bad | late).tolist():
        if done.fate[i] is not OK:
            continue
        if bad[i]:
            done.fate[i] = NOT_FINITE
        else:
            done.fate[i] = Fate(FitStatus.TIMEOUT_SOFT, None, f"took more than {budget_s:g} s of CPU")
    failed = np.array([fate is not OK for fate in done.fate])
    if not failed.any():
        return done
    params = [None if fails else held for fails, held in zip(failed.tolist(), done.params, strict=True)]
    lost = paths_of(fits, failed)
    for values in (done.mean, done.low, done.high):
        values[lost] = np.nan
    return replace(done, params=params)


def _is_json(params: Params) -> bool:
    return not isinstance(caught(as_json, params), Failure)


def _raised(failure: Failure) -> Fate:
    kind, _, text = failure.message.partition(": ")
    return Fate(FitStatus.ERROR, kind.rpartition(".")[2], text or kind)


def _fate(death: Death) -> Fate:
    """Of the piece in hand when a process ended."""
    status = FitStatus.TIMEOUT_HARD if death.cause == "timeout" else FitStatus.QUARANTINED
    return Fate(status, death.signal or death.cause, death.message)


def names(window_h: Sequence[int], cutoff: Sequence[int]) -> list[str]:
    """Names of fits as pieces.

    >>> names([72, 0], [480000, 480001])
    ['72@480000', '0@480001']
    """
    return [f"{window}@{hour}" for window, hour in zip(window_h, cutoff, strict=True)]


def as_json(params: Mapping[str, object]) -> str:
    """Parameters as they are stored: floats in as many digits as it takes to read the same bits again."""
    return _JSON.encode(params)
