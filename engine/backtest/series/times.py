"""Columns of times, whatever their type, as UTC µs."""

from __future__ import annotations

import polars as pl

from engine.errors import UserError

UNITS_US = {"h": 3_600_000_000, "min": 60_000_000, "s": 1_000_000, "ms": 1_000, "us": 1}
_ISO = r"^\s*\d{4}-?\d{2}-?\d{2}"


def utc_us(name: str, kind: pl.DataType, unit: str) -> pl.Expr:
    """The column `name` of type `kind` as int64 µs since 1970, null where it cannot be read.

    Numbers count `unit`s (`UNITS_US`); times without a zone are UTC; texts are ISO 8601, year first: 02/03/2020 means
    two things. Raises `UserError` for a type that holds no time.
    """
    column = pl.col(name)
    if isinstance(kind, pl.Datetime):
        return column.dt.timestamp("us")
    if kind == pl.Date:
        return column.cast(pl.Datetime("us")).dt.timestamp("us")
    if kind.is_integer():
        return column.cast(pl.Int64) * UNITS_US[unit]
    if kind.is_numeric():
        finite = pl.when(column.is_finite()).then(column.cast(pl.Float64) * float(UNITS_US[unit]))
        return finite.round().cast(pl.Int64, strict=False)
    if kind == pl.String:
        iso = pl.when(column.str.contains(_ISO)).then(column.str.strip_chars())
        return iso.str.to_datetime(time_unit="us", time_zone="UTC", strict=False).dt.timestamp("us")
    raise UserError(f"column {name}: {kind} is not a time")


def unread(name: str, us: pl.Expr) -> pl.Expr:
    """What the column `name` held where `us`, its `utc_us`, is null although something was there; else null."""
    return pl.when(us.is_null()).then(pl.concat_str(pl.lit(f"{name}: "), pl.col(name).cast(pl.String)))


def unreadable(where: str, example: str | None) -> UserError:
    """What to raise for a row without a time. example: from `unread`, or None where nothing was there."""
    if example is None:
        return UserError(f"{where}: a row has no time")
    return UserError(f"{where}: cannot read {example} as a time; give ISO 8601 with the year first")
