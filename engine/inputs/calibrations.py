"""Calibrations of devices as a table (CSV or Parquet): which were in force for a subject's devices at what time.

nightmill passes them on with the Source and makes them part of its identity; what they mean is the module's matter.
"""

from __future__ import annotations

import json
from typing import Any

import polars as pl

from engine.errors import UserError
from engine.identity import canonical_json
from engine.inputs.facts import EARLIEST, in_force, read_table, typed
from engine.module import Calibration
from engine.storage import StoreOptions

CALIBRATIONS: dict[str, Any] = {
    "subject_id": pl.String,
    "device": pl.String,
    "valid_from": pl.Datetime("us", "UTC"),
    "cal_id": pl.String,
    "coefficients": pl.String,
}
HISTORY: dict[str, Any] = {"subject_id": pl.String, "valid_from": pl.Datetime("us", "UTC"), "calibrations": pl.String}


def read_calibrations(uri: str, options: StoreOptions) -> pl.DataFrame:
    """Columns of `HISTORY`: what is in force for a subject from each time on, as the text of `engine.identity`.

    An empty `valid_from` is the beginning. Raises `UserError` naming table and column.
    """
    raw = read_table(uri, options)
    needed = [name for name in CALIBRATIONS if name != "valid_from"]
    missing = [name for name in needed if name not in raw.columns]
    if missing:
        raise UserError(f"{uri}: needs a column {missing[0]}; it has {', '.join(raw.columns)}")
    table = typed(raw, CALIBRATIONS, uri).with_columns(pl.col("valid_from").fill_null(EARLIEST))
    for name in needed:
        if table[name].null_count():
            raise UserError(f"{uri}: column {name} has empty cells")
    twice = table.filter(table.select("subject_id", "device", "valid_from").is_duplicated())
    if twice.height:
        raise UserError(f"{uri}: {twice['device'][0]!r} has several rows; tell them apart by valid_from")
    return _history(table.sort("subject_id", "valid_from", "device"))


def _history(table: pl.DataFrame) -> pl.DataFrame:
    rows, state, whose = list[tuple[Any, ...]](), dict[str, tuple[str, str]](), None
    for subject_id, device, valid_from, cal_id, coefficients in table.iter_rows():
        state = state if subject_id == whose else {}
        state[device], whose = (cal_id, coefficients), subject_id
        text = canonical_json([(name, *state[name]) for name in sorted(state)])
        if rows and rows[-1][:2] == (subject_id, valid_from):
            rows.pop()
        rows.append((subject_id, valid_from, text))
    return pl.DataFrame(rows, schema=HISTORY, orient="row")


def with_calibrations(inputs: pl.DataFrame, history: pl.DataFrame) -> pl.DataFrame:
    """Adds `calibrations`: those in force at the input's start, the subject's last where it does not say its start."""
    if history.is_empty():
        return inputs.with_columns(calibrations=pl.lit(None, pl.String))
    return in_force(inputs, history)


def calibrations_of(text: str | None) -> tuple[Calibration, ...]:
    """
    >>> calibrations_of('[["M 7","k","{}"]]')
    (Calibration(device='M 7', cal_id='k', coefficients='{}'),)
    """
    return tuple(Calibration(*fields) for fields in json.loads(text or "[]"))
