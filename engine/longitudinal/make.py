"""From the nights of some persons to the tables of the step: all that is computed, nothing that is read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from engine.longitudinal.deviations import TOLD, deviations
from engine.longitudinal.features import FEATURES, SHIFTING
from engine.longitudinal.nights import Nights, best
from engine.longitudinal.shifts import AFTER, BEFORE, shifts
from engine.longitudinal.tables import BASELINES, REASONS, SHIFTS
from engine.module import Table

Columns = dict[str, pa.Array]


def make(rows: pa.Table, work_key: str) -> dict[str, pa.Table]:
    """`tables.OUTPUTS` of whole persons, sorted. rows: of `nights`, with the columns of `nights.READ`, in any order."""
    nights = best(rows)
    return {"baselines": _baselines(nights, work_key), "shifts": _shifts(nights, work_key)}


def _baselines(nights: Nights, work_key: str) -> pa.Table:
    """One row a night and feature, by person, feature and date."""
    found = [deviations(nights, feature) for feature in FEATURES]
    # Features lie one behind the other; a stable sort by person keeps feature and date in order.
    order = np.argsort(np.tile(nights.person, len(FEATURES)), kind="stable")
    feature, night = np.divmod(order, max(len(nights), 1))

    def joined(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(one, name) for one in found])[order]

    oldest, reason = joined("oldest"), joined("reason")
    columns = _of_nights(nights, night) | {
        "feature": _named([one.name for one in FEATURES], feature),
        "unit": _named([one.unit for one in FEATURES], feature),
        "n_baseline": pa.array(joined("count")),
        "baseline_from": nights.rows["night_date"].take(pa.array(oldest, mask=oldest < 0)),
        "reason": _named(REASONS, reason, reason == TOLD),
    }
    columns |= {name: _finite(joined(name)) for name in ("value", "median", "mad", "dev_z")}
    return _table(BASELINES, columns, work_key, len(order))


def _shifts(nights: Nights, work_key: str) -> pa.Table:
    x = nights.values(SHIFTING)
    valid = np.flatnonzero(nights.counts & ~np.isnan(x))
    at = shifts(x[valid], nights.person[valid])
    highest = np.array([x[valid[i - BEFORE : i]].max() for i in at], np.float64)
    lowest = np.array([x[valid[i : i + AFTER]].min() for i in at], np.float64)
    dates = nights.rows["night_date"]
    columns = _of_nights(nights, valid[at]) | {
        "reported_date": dates.take(pa.array(valid[at + AFTER - 1])),
        "before_from": dates.take(pa.array(valid[at - BEFORE])),
        "before_max": pa.array(highest),
        "after_min": pa.array(lowest),
        "rise": pa.array(lowest - highest),
    }
    return _table(SHIFTS, columns, work_key, len(at))


def _of_nights(nights: Nights, which: NDArray[np.int64]) -> Columns:
    return {name: nights.rows[name].take(pa.array(which)) for name in ("subject_id", "night_date", "source_id")}


def _named(names: Sequence[str], places: NDArray[np.int64], missing: NDArray[np.bool_] | None = None) -> pa.Array:
    return pa.array(names, pa.string()).take(pa.array(places, mask=missing))


def _finite(values: NDArray[np.float64]) -> pa.Array:
    return pa.array(values, mask=np.isnan(values))


def _table(declared: Table, columns: Columns, work_key: str, n: int) -> pa.Table:
    columns["work_key"] = pa.repeat(work_key, n)
    return pa.table([columns[name] for name in declared.schema.names], schema=declared.schema)
