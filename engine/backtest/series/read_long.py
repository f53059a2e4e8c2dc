"""Series from a table in long form, Parquet or CSV: one reading a row, columns mapped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from engine.backtest.series.buckets import buckets
from engine.backtest.series.names import NO_VITAL, OURS
from engine.backtest.series.readable import readable
from engine.backtest.series.times import UNITS_US, unread, utc_us
from engine.errors import UserError


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column is what. vital: None where the file has one kind of value, called `value`. arrived: None where
    unknown. unit: what numbers in `ts` and `arrived` count (h, min, s, ms or us); hour 0 is 1970-01-01 00:00 UTC.
    names: further names of vitals, theirs to ours, beside `names.OURS`; a name may be its own."""

    subject: str = "subject_id"
    vital: str | None = "vital"
    ts: str = "ts"
    value: str = "value"
    arrived: str | None = "arrived_at"
    unit: str = "h"
    names: Mapping[str, str] = field(default_factory=dict)


M4 = Columns("unique_id", None, "ds", "y", None)
_SUFFIXES = (".parquet", ".csv", ".csv.gz", ".tsv")


def scan(uri: str, storage: Mapping[str, str] | None = None) -> pl.LazyFrame:
    """The file or files (`*` allowed), lazily. Raises `UserError` where the name says another format."""
    options = dict(storage or {}) or None
    if uri.endswith(".parquet"):
        return pl.scan_parquet(uri, storage_options=options)
    if uri.endswith((".csv", ".csv.gz", ".tsv")):
        separator = "\t" if uri.endswith(".tsv") else ","
        return pl.scan_csv(
            uri, storage_options=options, separator=separator, infer_schema_length=10_000, null_values=["", "NA", "NaN"]
        )
    raise UserError(f"{uri}: readings in long form are one of {', '.join(_SUFFIXES)}")


def read_long(
    uri: str, columns: Columns | None = None, storage: Mapping[str, str] | None = None
) -> Iterator[pl.DataFrame]:
    """Frames of `names.READINGS`. columns: None = the defaults, or M4's if the file has those. storage: as polars takes
    it (`Store.delta_options()`). Raises `UserError`: no such file or column, no rows, no time, no vital that is known.
    """
    with readable(uri):
        rows = scan(uri, storage)
        schema = rows.collect_schema()
        if rows.head(1).collect().is_empty():  # a header alone says nothing of the columns' types
            raise UserError(f"{uri}: no rows")
        yield from readings(uri, rows, fitting(uri, schema, columns))


def fitting(where: str, schema: pl.Schema, columns: Columns | None) -> Columns:
    """The columns to use: those given, the defaults, or M4's. Raises `UserError` for one that the file has not."""
    if columns is None:
        columns = M4 if {M4.subject, M4.ts, M4.value} <= set(schema) else Columns()
    if columns.arrived == Columns().arrived and columns.arrived not in schema:
        columns = replace(columns, arrived=None)
    wanted = [columns.subject, columns.vital, columns.ts, columns.value, columns.arrived]
    missing = [name for name in wanted if name is not None and name not in schema]
    if missing:
        raise UserError(f"{where}: no column {', '.join(missing)}; there are {', '.join(schema)}")
    if columns.unit not in UNITS_US:
        raise UserError(f"unit: {columns.unit!r} is none of {', '.join(UNITS_US)}")
    if not schema[columns.value].is_numeric():
        raise UserError(f"{where}: column {columns.value} holds {schema[columns.value]}, not numbers")
    return columns


def readings(where: str, rows: pl.LazyFrame, columns: Columns, weight: str | None = None) -> Iterator[pl.DataFrame]:
    """Frames of `names.READINGS` from a lazy long frame. weight: the column of `Readings.weight`, None = 0."""
    schema = rows.collect_schema()
    vital = pl.lit(NO_VITAL) if columns.vital is None else _vital(where, rows, columns)
    ts_us = utc_us(columns.ts, schema[columns.ts], columns.unit)
    bad = unread(columns.ts, ts_us)
    arrived = pl.lit(None, pl.Int64)
    if columns.arrived is not None:
        arrived_us = utc_us(columns.arrived, schema[columns.arrived], columns.unit)
        bad = pl.coalesce(bad, unread(columns.arrived, arrived_us))
        arrived = -((-arrived_us).floordiv(UNITS_US["h"]))  # the first whole hour not before it
    frame = rows.select(
        subject_id=pl.col(columns.subject).cast(pl.String),
        vital=vital,
        ts_us=ts_us,
        value=pl.col(columns.value).cast(pl.Float64),
        weight=pl.lit(0, pl.Int64) if weight is None else pl.col(weight).cast(pl.Int64).fill_null(1),
        arrived=arrived,
        unread=bad,
    )
    yield from buckets(where, frame.filter(pl.col("vital").is_not_null()))


def _vital(where: str, rows: pl.LazyFrame, columns: Columns) -> pl.Expr:
    """Our name of each row's vital, null for what is no vital of ours. Raises `UserError` if all are so."""
    assert columns.vital is not None
    theirs = pl.col(columns.vital).cast(pl.String)
    found = rows.select(theirs.unique()).collect(engine="streaming").to_series().drop_nulls().sort()
    known = {name: vital for name, vital in (OURS | dict(columns.names)).items() if name in set(found)}
    if len(found) and not known:
        some = ", ".join(found[:12]) + (", …" if len(found) > 12 else "")
        raise UserError(f"{where}: no vital is known; there are {some}: name ours in `names`, such as HR: hr_bpm")
    # Not `replace_strict`: it would take the whole column into memory.
    ours = [pl.when(theirs == name).then(pl.lit(vital)).otherwise(None) for name, vital in known.items()]
    return pl.coalesce(ours or [pl.lit(None, pl.String)])
