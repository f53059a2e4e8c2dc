"""Frozen series: written once by the driver, read by every Work, so that no array passes through the scheduler."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from functools import lru_cache
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from engine.backtest.series.describe import data_hash
from engine.backtest.series.series import Corrections, Readings, Series
from engine.errors import InputMissing, UserError
from engine.storage import Store
from engine.tables.parts import decode, encode

INDEX_FILE = "index.parquet"
"""Below a prefix, where whoever freezes keeps the index."""
PART_SERIES = 256
PART_HOURS = 1_000_000
_READINGS = {"ts_us": np.int64, "value": np.float64, "weight": np.int64, "arrived": np.int64, "until": np.int64}
_COUNTS = tuple(one.name for one in fields(Corrections))
_KINDS = {np.int64: pa.int64(), np.float64: pa.float64()}
_SCHEMA = pa.schema(
    [
        pa.field("subject_id", pa.string()),
        pa.field("vital", pa.string()),
        pa.field("start", pa.int64()),
        pa.field("values", pa.list_(pa.float64())),
        *(pa.field(name, pa.list_(_KINDS[kind])) for name, kind in _READINGS.items()),
        *(pa.field(f"n_{name}", pa.int64()) for name in _COUNTS),
    ]
)
INDEX = pl.Schema(
    {
        "subject_id": pl.String,
        "vital": pl.String,
        "path": pl.String,
        "row": pl.Int64,
        "start": pl.Int64,
        "end": pl.Int64,
        "n_observed": pl.Int64,
        "data_hash": pl.String,
    }
)
"""One row a frozen series: the part that holds it (relative to the store), its row there, its hours start … end − 1,
and the hash of its data."""


def freeze(series: Iterable[Series], store: Store, prefix: str) -> pl.DataFrame:
    """Write all series as parts below `prefix`, in their order, and return their `INDEX`. Holds one part at a time.

    A part is named by its bytes, so freezing equal series again changes nothing. Raises `UserError` where one series
    comes twice."""
    found: list[pl.DataFrame] = []
    for number, part in enumerate(_parts(series)):
        data = encode(_rows(part))
        path = f"{prefix.strip('/')}/{number:06d}-{hashlib.sha256(data).hexdigest()[:16]}.parquet"
        store.write(path, data)
        found.append(_index(path, part))
    index = pl.concat([INDEX.to_frame(), *found])
    twice = index.filter(index.select("subject_id", "vital").is_duplicated())
    if len(twice):
        raise UserError(f"{twice['subject_id'][0]}, {twice['vital'][0]}: two inputs have this series")
    return index


def thaw(store: Store, path: str, rows: Sequence[int] | None = None) -> list[Series]:
    """The series of a part, or some of its rows. The part that was read last stays in memory."""
    table = _part(store, path)
    return [_series(table, row) for row in (range(table.num_rows) if rows is None else rows)]


def held(store: Store, prefix: str, subject: str) -> int:
    """How many series of a subject the frozen store has, by its `index.parquet`."""
    return _indexed(store, prefix).filter(pl.col("subject_id") == subject).height


def forget(store: Store, prefix: str, subject: str) -> None:
    """Freeze what is left without a subject, let the index say so, and delete every part that it does not name. A call
    that was killed is completed by the next."""
    index = _indexed(store, prefix)
    left = index.filter(pl.col("subject_id") != subject)
    if len(left) < len(index):
        kept = ((path, row) for path, row in left.select("path", "row").iter_rows())
        left = freeze((one for path, row in kept for one in thaw(store, path, [row])), store, prefix)
        sink = io.BytesIO()
        left.sort("subject_id", "vital").write_parquet(sink)
        store.write(f"{prefix}/{INDEX_FILE}", sink.getvalue())
    named = {f"{prefix}/{INDEX_FILE}", *left["path"]}
    for path in [entry.path for entry in store.list(prefix) if entry.path not in named]:
        store.delete(path)


def _indexed(store: Store, prefix: str) -> pl.DataFrame:
    try:
        return pl.read_parquet(io.BytesIO(store.read(f"{prefix}/{INDEX_FILE}")))
    except InputMissing:
        return INDEX.to_frame()


@lru_cache(maxsize=2)
def _part(store: Store, path: str) -> pa.Table:
    return decode(store.read(path)).combine_chunks()


def _parts(series: Iterable[Series]) -> Iterator[list[Series]]:
    part: list[Series] = []
    hours = 0
    for one in series:
        if part and (len(part) == PART_SERIES or hours + len(one.values) > PART_HOURS):
            yield part
            part, hours = [], 0
        part.append(one)
        hours += len(one.values)
    if part:
        yield part


def _rows(part: Sequence[Series]) -> pa.Table:
    columns: dict[str, Any] = {
        "subject_id": [one.subject_id for one in part],
        "vital": [one.vital for one in part],
        "start": [one.start for one in part],
        "values": _lists([one.values for one in part], np.float64),
    }
    for name, kind in _READINGS.items():
        columns[name] = _lists([None if one.readings is None else getattr(one.readings, name) for one in part], kind)
    columns |= {f"n_{name}": [getattr(one.corrections, name) for one in part] for name in _COUNTS}
    return pa.table(columns, schema=_SCHEMA)


def _lists(arrays: Sequence[Any], kind: type) -> pa.Array:
    offsets = np.concatenate([[0], np.cumsum([0 if one is None else len(one) for one in arrays])]).astype(np.int32)
    flat = np.concatenate([np.empty(0, kind), *(one for one in arrays if one is not None)])
    missing = pa.array([one is None for one in arrays])
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(flat), mask=missing)


def _index(path: str, part: Sequence[Series]) -> pl.DataFrame:
    rows = [
        (one.subject_id, one.vital, path, row, one.start, one.end, one.corrections.hours, data_hash(one))
        for row, one in enumerate(part)
    ]
    return pl.DataFrame(rows, schema=INDEX, orient="row")


def _series(table: pa.Table, row: int) -> Series:
    readings = None
    if table["ts_us"][row].is_valid:
        readings = Readings(**{name: _array(table, name, row) for name in _READINGS})
    counts = Corrections(**{name: table[f"n_{name}"][row].as_py() for name in _COUNTS})
    subject_id, vital, start = (table[name][row].as_py() for name in ("subject_id", "vital", "start"))
    return Series(subject_id, vital, start, _array(table, "values", row), readings, counts)


def _array(table: pa.Table, name: str, row: int) -> Any:
    return table[name][row].values.to_numpy(zero_copy_only=False).copy()  # a copy: kernels take no read-only arrays
