"""Tables that people write: what is known of subjects and of single files (CSV or Parquet, local or on S3)."""

from __future__ import annotations

import difflib
import io
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import polars as pl
from polars.exceptions import PolarsError

from engine.errors import InputMissing, UserError
from engine.storage import Store, StoreOptions, split_uri

SUBJECTS: dict[str, Any] = {
    "subject_id": pl.String,
    "zone": pl.String,
    "valid_from": pl.Datetime("us", "UTC"),
    "device_offset_s": pl.Int64,
    "received_at": pl.Datetime("us", "UTC"),
}
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(9999, 1, 1, tzinfo=UTC)


def read_table(uri: str, options: StoreOptions) -> pl.DataFrame:
    """A CSV (all text) or Parquet file as it is. Raises `UserError` if it is missing or cannot be read."""
    parent, name = split_uri(uri)
    try:
        data = Store(parent, options).read(name)
        if name.lower().endswith(".parquet"):
            return pl.read_parquet(io.BytesIO(data))
        return pl.read_csv(io.BytesIO(data), infer_schema=False)
    except InputMissing as error:
        raise UserError(f"{uri}: there is no such table") from error
    except PolarsError as error:
        raise UserError(f"{uri}: not a readable table: {str(error).splitlines()[0]}") from error


def read_subjects(uri: str, options: StoreOptions) -> pl.DataFrame:
    """Columns of `SUBJECTS`; rows of one subject differ in `valid_from`. Raises `UserError` naming table and value."""
    raw = read_table(uri, options)
    if "subject_id" not in raw.columns:
        raise UserError(f"{uri}: needs a column subject_id; it has {', '.join(raw.columns)}")
    table = typed(raw, SUBJECTS, uri).filter(pl.col("subject_id").is_not_null())
    check_zones(table["zone"], uri)
    twice = table.filter(table.select("subject_id", "valid_from").is_duplicated())
    if twice.height:
        raise UserError(f"{uri}: subject {twice['subject_id'][0]!r} has several rows; tell them apart by valid_from")
    return table


def typed(raw: pl.DataFrame, schema: dict[str, Any], uri: str) -> pl.DataFrame:
    """The columns of `schema` from a table that may hold them as text; absent columns become null."""
    columns = [_column(raw, name, kind, uri) for name, kind in schema.items()]
    return pl.DataFrame(columns, schema=schema)


def _column(raw: pl.DataFrame, name: str, kind: Any, uri: str) -> pl.Series:
    if name not in raw.columns:
        return pl.Series(name, [None] * raw.height, dtype=kind)
    values = raw[name]
    if values.dtype == pl.String:
        values = values.str.strip_chars().replace("", None)
    if kind == pl.String:
        return values.cast(pl.String)
    parse = _PARSERS[kind]
    parsed = [None if value is None else _parsed(parse, value, name, uri) for value in values]
    return pl.Series(name, parsed, dtype=kind)


def _parsed(parse: Callable[[Any], Any], value: Any, name: str, uri: str) -> Any:
    try:
        return parse(value)
    except (TypeError, ValueError, OverflowError, OSError) as error:
        raise UserError(f"{uri}: column {name}: cannot read {value!r}") from error


def _instant(value: Any) -> datetime:
    """UTC of a time (without zone: UTC), a date (its midnight), ISO text, or unix seconds."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{9,10}(\.[0-9]*)?", value):
        value = float(value)
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    if not isinstance(value, datetime):
        value = datetime.fromisoformat(str(value))
    instant: datetime = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return instant


def _day(value: Any) -> date:
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else date.fromisoformat(value)


def _whole(value: Any) -> int:
    number = float(value)
    if not number.is_integer():
        raise ValueError(value)
    return int(number)


_PARSERS: dict[Any, Callable[[Any], Any]] = {
    pl.Datetime("us", "UTC"): _instant,
    pl.Date: _day,
    pl.Int64: _whole,
}


def check_zones(zones: pl.Series, where: str) -> None:
    """Raises `UserError` for the first name that is no IANA time zone."""
    for zone in zones.drop_nulls().unique().sort():
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            close = difflib.get_close_matches(zone, available_timezones(), n=1, cutoff=0.5)
            hint = f"; did you mean {close[0]}?" if close else "; write it as in Europe/Dublin"
            raise UserError(f"{where}: no IANA time zone is called {zone!r}{hint}") from error


def with_subjects(inputs: pl.DataFrame, subjects: pl.DataFrame) -> pl.DataFrame:
    """Adds known_zone, known_offset_s and known_received_at: of the last row valid at the input's start."""
    rows = subjects.select(
        "subject_id",
        pl.col("valid_from").fill_null(EARLIEST),
        known_zone="zone",
        known_offset_s="device_offset_s",
        known_received_at="received_at",
    )
    return in_force(inputs, rows)


def in_force(inputs: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Adds the columns of `rows` besides subject_id and valid_from: of the last row valid at the input's start.

    An input that does not say its start takes its subject's last row.
    """
    when = pl.coalesce(
        "start", pl.col("start_wall").dt.replace_time_zone("UTC"), pl.lit(LATEST).dt.cast_time_unit("us")
    )
    return (
        inputs.with_row_index("order")
        .with_columns(when=when)
        .sort("when")
        .join_asof(
            rows.sort("valid_from"), left_on="when", right_on="valid_from", by="subject_id", check_sortedness=False
        )
        .sort("order")
        .drop("order", "when", "valid_from")
    )
