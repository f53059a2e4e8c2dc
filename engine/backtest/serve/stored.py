"""Stored fits and attempts as arrays: what serving reads, series by series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from engine.backtest.contract import Floats, Ints
from engine.backtest.grid import EXPANDING_H
from engine.backtest.series.hourly import HOUR_US
from engine.backtest.serve.layout import Spec
from engine.backtest.serve.tables import FIT_STATUSES
from kernels.serving import ABSENT

FIT_COLUMNS = ("subject_id", "vital", "fit_id", "model", "window_h", "cutoff", "cpu_s", "status")
ATTEMPT_COLUMNS = ("subject_id", "vital", "model", "window_h", "cutoff", "origin", "mean", "low", "high")
SeriesKey = tuple[str, str]
"""subject_id, vital"""


@dataclass(frozen=True, slots=True)
class Stored:
    """Fits of some series by series, spec and cutoff, and their forecast paths by fit and origin.

    Fits, (f,): spec, cutoff (hour number), status (place in `FIT_STATUSES`), cpu_s; fit_id as Arrow. Paths, (p,): fit,
    origin (hour number), start and steps: values[:, start : start + steps] are mean, 10 % and 90 % quantile, NaN where
    the model has none. first_path: (f + 1,). first_fit: (series + 1,).
    """

    spec: Ints
    cutoff: Ints
    status: Ints
    cpu_s: Floats
    fit_id: pa.Array
    fit: Ints
    origin: Ints
    start: Ints
    steps: Ints
    values: Floats
    first_path: Ints
    first_fit: Ints

    def of(self, number: int) -> Stored:
        """One series: fits and paths count from its own first."""
        low, high = self.first_fit[number], self.first_fit[number + 1]
        a, b = self.first_path[low], self.first_path[high]
        return Stored(
            self.spec[low:high],
            self.cutoff[low:high],
            self.status[low:high],
            self.cpu_s[low:high],
            self.fit_id[low:high],
            self.fit[a:b] - low,
            self.origin[a:b],
            self.start[a:b],
            self.steps[a:b],
            self.values,
            self.first_path[low : high + 1] - a,
            np.array([0, high - low], np.int64),
        )


def gather(fits: pa.Table, attempts: pa.Table, series: Sequence[SeriesKey], specs: Sequence[Spec]) -> Stored:
    """Rows of both tables (at least `FIT_COLUMNS` and `ATTEMPT_COLUMNS`, any order) of these series and specs.

    Rows of other series and specs are passed over, and so are forecasts without a fit.
    """
    who, spec, cutoff = _numbers(fits, series, specs)
    order = np.lexsort((cutoff, spec, who))
    order = order[(who[order] != ABSENT) & (spec[order] != ABSENT)]
    who, spec, cutoff = who[order], spec[order], cutoff[order]
    status = pc.index_in(fits["status"], value_set=pa.array(FIT_STATUSES, pa.string()))
    base = int(cutoff.min(initial=0))
    span = int(cutoff.max(initial=0)) - base + 1
    fit_key = (who * len(specs) + spec) * span + (cutoff - base)
    theirs, their_spec, their_cutoff = _numbers(attempts, series, specs)
    key = (theirs * len(specs) + their_spec) * span + (their_cutoff - base)
    fit = np.searchsorted(fit_key, key)
    known = (theirs != ABSENT) & (their_spec != ABSENT) & (fit < len(fit_key))
    known &= (their_cutoff >= base) & (their_cutoff < base + span)
    known[known] = fit_key[fit[known]] == key[known]
    origin = _hours(attempts["origin"])
    paths = np.lexsort((origin, fit))
    paths = paths[known[paths]]
    start, steps, values = _paths(attempts)
    fit = fit[paths]
    return Stored(
        spec,
        cutoff,
        _int64(status.fill_null(FIT_STATUSES.index("error")))[order],
        _floats(fits["cpu_s"])[order],
        _whole(fits["fit_id"]).take(pa.array(order)),
        fit,
        origin[paths],
        start[paths],
        steps[paths],
        values,
        np.searchsorted(fit, np.arange(len(order) + 1)),
        np.searchsorted(who, np.arange(len(series) + 1)),
    )


def _numbers(rows: pa.Table, series: Sequence[SeriesKey], specs: Sequence[Spec]) -> tuple[Ints, Ints, Ints]:
    """Each row's series, spec (ABSENT = none of ours) and cutoff."""
    window = _int64(rows["window_h"].fill_null(EXPANDING_H))
    windows = sorted({EXPANDING_H if spec[1] is None else spec[1] for spec in specs})
    at = np.minimum(np.searchsorted(windows, window), max(len(windows) - 1, 0))
    at = np.where(np.array(windows or [ABSENT])[at] == window, at, ABSENT)
    pairs = [(model, windows.index(EXPANDING_H if h is None else h)) for model, h in specs]
    models, subjects, vitals = (
        sorted({m for m, _ in pairs}),
        sorted({s for s, _ in series}),
        sorted({v for _, v in series}),
    )
    spec = _lookup(_index(rows["model"], models), at, [(models.index(m), w) for m, w in pairs], len(windows))
    places = {name: i for i, name in enumerate(subjects)}
    keys = [(places[subject], vitals.index(vital)) for subject, vital in series]
    who = _lookup(_index(rows["subject_id"], subjects), _index(rows["vital"], vitals), keys, len(vitals))
    return who, spec, _hours(rows["cutoff"])


def _lookup(first: Ints, second: Ints, pairs: Sequence[tuple[int, int]], width: int) -> Ints:
    """Place among `pairs` of (first[i], second[i]); ABSENT where it is none of them."""
    table = np.full((max((a for a, _ in pairs), default=0) + 2, width + 1), ABSENT, np.int64)
    for number, (a, b) in enumerate(pairs):
        table[a, b] = number
    return table[first, second]  # ABSENT is the last row or column, where nothing is


def _index(values: pa.ChunkedArray, among: Sequence[str]) -> Ints:
    return _int64(pc.index_in(values, value_set=pa.array(among, pa.string())).fill_null(ABSENT))


def _paths(attempts: pa.Table) -> tuple[Ints, Ints, Floats]:
    """Place and length of each row's path, and all values: (3, …), the quantiles laid where the means are."""
    means = _whole(attempts["mean"])
    offsets = means.offsets.to_numpy().astype(np.int64)
    start, steps = offsets[:-1] - offsets[0], np.diff(offsets)
    values = np.full((3, int(steps.sum())), np.nan)
    values[0] = means.flatten().to_numpy(zero_copy_only=False)
    for row, name in enumerate(("low", "high"), 1):
        found = _whole(attempts[name])
        if found.null_count < len(found):
            there = np.repeat(found.is_valid().to_numpy(zero_copy_only=False), steps)
            values[row, there] = found.flatten().to_numpy(zero_copy_only=False)
    return start, steps, values


def _whole(column: pa.ChunkedArray) -> pa.Array:
    whole = column.combine_chunks()
    return pa.concat_arrays(whole.chunks) if isinstance(whole, pa.ChunkedArray) else whole


def _hours(column: pa.ChunkedArray) -> Ints:
    return _int64(column.cast(pa.int64())) // HOUR_US


def _int64(column: pa.ChunkedArray) -> Ints:
    return np.asarray(column.to_numpy()).astype(np.int64)


def _floats(column: pa.ChunkedArray) -> NDArray[np.float64]:
    return np.asarray(column.to_numpy(), np.float64)
