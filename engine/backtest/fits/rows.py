"""What came of the fits of a Work as rows of `fits` and `attempts`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from engine.backtest.contract import COLD, Floats, Ints
from engine.backtest.fits.batch import Fate, FitStatus, Fitting
from engine.backtest.fits.fitting import as_json
from engine.backtest.grid import EXPANDING_H
from engine.backtest.series.hourly import HOUR_US
from engine.backtest.sweep.keys import Keys
from engine.backtest.sweep.requests import Request
from engine.backtest.sweep.windows import NO_HOUR, SENTENCES, Role, Short
from engine.backtest.tables import ATTEMPTS, FITS
from engine.schemas import TIME
from kernels.slices import FIRST, GREATEST, LAST, LEAST, MEAN, SD, SEEN

Columns = Mapping[str, Any]
ROLES = tuple(role.name.lower() for role in Role)
_UNTRIED = {int(code): Fate(FitStatus.TOO_SHORT, None, SENTENCES[code]) for code in Short}


@dataclass(frozen=True, slots=True)
class Slices:
    """The training slices of a request's fits, as `kernels.slices.describe_slices` gives them; hours as numbers."""

    places: Ints
    moments: Floats
    hours: Ints

    @property
    def constant(self) -> NDArray[np.bool_]:
        """(k,) bool."""
        return np.asarray(self.moments[:, LEAST] == self.moments[:, GREATEST])


def fit_rows(common: Columns, request: Request, slices: Slices, done: Fitting, keys: Keys, kept: Ints) -> pa.Table:
    """One row a fit. `done` is of `request.fits`; `kept`: rows of it whose parameters are stored."""
    k, tried = request.cutoff.size, request.tried
    fates = [_UNTRIED[code] for code in request.short.tolist()]
    params: list[str | None] = [None] * k
    form, start = [""] * k, ["cold"] * k
    for row, fate, chosen, warmed in zip(tried.tolist(), done.fate, done.form, done.warmed, strict=True):
        fates[row], form[row] = fate, chosen
        start[row] = "anchor" if warmed else "cold"
    for row in kept.tolist():
        found = done.params[row]
        params[tried[row]] = None if found is None else as_json(found)
    window = request.window_h
    first = np.where(request.train_start == NO_HOUR, request.cutoff - np.maximum(window, 0), request.train_start)
    columns = {
        **_repeated(common, k),
        "fit_id": pa.array(keys.fit_id, pa.string()),
        "window_h": pa.array(window, mask=window == EXPANDING_H),
        "cutoff": _times(request.cutoff),
        "train_start": _times(first),
        "role": pa.array(ROLES).take(pa.array(request.role)),
        "form": pa.array(form, pa.string()),
        "select_cutoff": _times(request.select_cutoff, request.select_cutoff == NO_HOUR),
        **_slice_columns(request, slices),
        "params_json": pa.array(params, pa.string()),
        "params_dropped": pa.nulls(k, pa.bool_()),
        "data_hash": pa.array([text or None for text in keys.data_hash], pa.string()),
        "cpu_s": pa.array(_spread(done.cpu_s, tried, k)),
        "wall_s": pa.array(_spread(done.wall_s, tried, k)),
        "n_eval": pa.array(_spread(done.evaluations, tried, k)),
        "start": pa.array(start, pa.string()),
        "status": pa.array([fate.status for fate in fates], pa.string()),
        "error_class": pa.array([fate.error_class for fate in fates], pa.string()),
        "error_message": pa.array([fate.message for fate in fates], pa.string()),
    }
    return _table(FITS.schema, columns)


def attempt_rows(common: Columns, request: Request, done: Fitting, keys: Keys) -> pa.Table:
    """One row a forecast of a fit that forecasts: its steps after the origin."""
    fits = request.fits
    fit = np.repeat(np.arange(fits.end.size), np.diff(fits.first))
    rows = np.isfinite(done.mean[:, 0]) if fits.steps else np.zeros(fit.size, np.bool_)
    lead, keep, fit = request.lead[rows], request.keep[rows], fit[rows]
    begin = np.flatnonzero(rows) * fits.steps + lead
    offsets = np.concatenate([np.zeros(1, np.int32), np.cumsum(keep)]).astype(np.int32)
    cells = np.repeat(begin - offsets[:-1], keep) + np.arange(offsets[-1])
    row = request.tried[fit]
    window = request.window_h[row]
    ids = pa.array(keys.fit_id, pa.string())
    none = np.isnan(done.low + done.high)[rows].any(axis=1)
    columns = {
        **_repeated(common, fit.size),
        "fit_id": ids.take(pa.array(row)),
        "window_h": pa.array(window, mask=window == EXPANDING_H),
        "cutoff": _times(request.cutoff[row]),
        "origin": _times(request.origin[rows]),
        "lead_h": pa.array(lead),
        "mean": _lists(offsets, done.mean.reshape(-1)[cells], None),
        "low": _lists(offsets, done.low.reshape(-1)[cells], none),
        "high": _lists(offsets, done.high.reshape(-1)[cells], none),
    }
    return _table(ATTEMPTS.schema, columns)


def _lists(offsets: NDArray[np.int32], values: Floats, none: Any) -> pa.Array:
    """A list a row; null where `none`, and nothing is kept of its values."""
    if none is None or not none.any():
        return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values))
    sizes = np.where(none, 0, np.diff(offsets))
    short = np.concatenate([np.zeros(1, np.int32), np.cumsum(sizes)]).astype(np.int32)
    held = values[np.repeat(~none, np.diff(offsets))]
    return pa.ListArray.from_arrays(pa.array(short), pa.array(held), mask=pa.array(none))


def _slice_columns(request: Request, slices: Slices) -> dict[str, pa.Array]:
    places, moments, hours = slices.places, slices.moments, slices.hours
    unseen = places[:, SEEN] == 0
    first, last = (hours[np.maximum(places[:, at], 0)] if hours.size else request.cutoff for at in (FIRST, LAST))
    gaps = np.maximum(places[:, SEEN] - 1, 1)
    mean_gap_s = (places[:, LAST] - places[:, FIRST]) / gaps * 3600.0
    named = {"y_min": LEAST, "y_max": GREATEST, "y_mean": MEAN, "y_sd": SD}
    return {
        "n_obs": pa.array(places[:, SEEN]),
        "n_missing": pa.array(request.end - request.start - places[:, SEEN]),
        "data_start": _times(first, unseen),
        "data_end": _times(last, unseen),
        **{name: _floats(moments[:, at]) for name, at in named.items()},
        "mean_gap_s": pa.array(mean_gap_s, mask=places[:, SEEN] < 2),
    }


def _spread(values: NDArray[Any], tried: Ints, k: int) -> NDArray[Any]:
    """Values of tried fits among those of all, 0 elsewhere."""
    found = np.zeros(k, values.dtype)
    found[tried] = values
    return found


def _floats(values: Floats) -> pa.Array:
    return pa.array(values, mask=np.isnan(values))


def _times(hours: Ints, missing: NDArray[np.bool_] | None = None) -> pa.Array:
    """Hour numbers as instants."""
    safe = hours if missing is None else np.where(missing, 0, hours)
    return pa.array(safe * HOUR_US, mask=missing).view(TIME)


def _repeated(common: Columns, n: int) -> dict[str, pa.Array]:
    return {name: pa.repeat(pa.scalar(value, pa.string()), n) for name, value in common.items()}


def _table(schema: pa.Schema, columns: Mapping[str, pa.Array]) -> pa.Table:
    return pa.table([columns[name] for name in schema.names], schema=schema)


def stored(request: Request, anchor_h: int, phase_h: int, keep: str) -> Ints:
    """Rows of `request.fits` whose parameters are stored: all, the cold fits at anchors, or none."""
    if keep == "all":
        return np.arange(request.tried.size)
    if keep == "none":
        return np.zeros(0, np.int64)
    is_anchor = (request.cutoff[request.tried] - phase_h) % anchor_h == 0
    return np.flatnonzero(is_anchor & (request.fits.anchor == COLD))
