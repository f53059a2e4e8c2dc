"""What a series holds, in numbers, and the hash of its data."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import fields
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from engine.backtest.contract import Floats
from engine.backtest.series.hourly import HOUR_US
from engine.backtest.series.segments import Flag, Segment, split
from engine.backtest.series.series import Series
from engine.backtest.series.table import SERIES
from engine.vitals.plausibility import LIMITS


def array_bytes(values: NDArray[Any]) -> bytes:
    """Little-endian bytes that equal values share: one NaN, and 0 for −0.

    >>> array_bytes(np.array([-0.0])) == array_bytes(np.array([0.0]))
    True
    """
    if values.dtype.kind == "f":
        values = np.where(np.isnan(values), np.nan, values + 0.0)
    return np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes()


def data_hash(series: Series) -> str:
    """SHA-256 over the vital, the first hour, the values and, where arrivals matter, the readings; not the subject."""
    digest = hashlib.sha256(f"{series.vital}\n{series.start}\n{len(series.values)}\n".encode())
    digest.update(array_bytes(series.values))
    if series.readings is not None:
        r = series.readings
        for column in (r.ts_us, r.value, r.weight, r.arrived, r.until):
            digest.update(array_bytes(column))
    return digest.hexdigest()


def describe(series: Series) -> dict[str, Any]:
    """The row of the table `series`, without work_key; times as µs, None where undefined."""
    segments = split(series.vital, series.start, series.values)
    seen = np.flatnonzero(np.isfinite(series.values))
    counts = {one.name: getattr(series.corrections, one.name) for one in fields(series.corrections)}
    hours = counts.pop("hours")
    return {
        "subject_id": series.subject_id,
        "vital": series.vital,
        "data_hash": data_hash(series),
        "data_start": (series.start + int(seen[0])) * HOUR_US if len(seen) else None,
        "data_end": (series.start + int(seen[-1])) * HOUR_US if len(seen) else None,
        "n_hours": len(series.values),
        "n_observed": hours,
        **_fills(segments),
        "n_segments": len(segments),
        "longest_gap_h": int(np.diff(seen).max(initial=1)) - 1,
        "mean_gap_s": float(seen[-1] - seen[0]) / (len(seen) - 1) * 3600.0 if len(seen) > 1 else None,
        **_moments(series.values[seen]),
        **{f"n_{name}": count for name, count in counts.items()},
        "has_limits": series.vital in LIMITS,
        "has_arrivals": series.readings is not None,
    }


def rows(work_key: str, series: Iterable[Series]) -> pa.Table:
    """Rows of the table `series`."""
    return pa.Table.from_pylist([{"work_key": work_key, **describe(one)} for one in series], schema=SERIES.schema)


def _fills(segments: tuple[Segment, ...]) -> dict[str, int]:
    n = sum((np.bincount(one.flags, minlength=len(Flag)) for one in segments), np.zeros(len(Flag), np.int64)).tolist()
    names = {Flag.INTERPOLATED: "n_interpolated", Flag.PROFILED: "n_profiled", Flag.LEVELLED: "n_levelled"}
    return {name: int(n[flag]) for flag, name in names.items()}


def _moments(y: Floats) -> dict[str, float | None]:
    if not len(y):
        return dict.fromkeys(("y_min", "y_max", "y_mean", "y_median", "y_sd"))
    return {
        "y_min": float(y.min()),
        "y_max": float(y.max()),
        "y_mean": float(y.mean()),
        "y_median": float(np.median(y)),
        "y_sd": float(y.std(ddof=1)) if len(y) > 1 else None,
    }
