"""What a table may be declared as, and that all that is accepted comes back from Delta Lake as it was written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from engine.code.declared import complaints
from engine.module import Table
from engine.night.diagnostics import Diagnosed
from engine.night.night import Night

WHEN = datetime(2026, 3, 28, 22, tzinfo=UTC)
KEPT: Mapping[pa.DataType, Any] = {
    pa.bool_(): True,
    pa.int8(): -3,
    pa.int64(): 2**62,
    pa.float32(): 1.5,
    pa.decimal128(38, 3): Decimal("1234.567"),
    pa.large_string(): "grüezi",
    pa.string_view(): "grüezi",
    pa.binary(): b"\xff",
    pa.binary(2): b"\x00\xff",
    pa.date32(): date(2026, 3, 28),
    pa.timestamp("us"): WHEN.replace(tzinfo=None),
    pa.timestamp("ms", "UTC"): WHEN,
    pa.large_list(pa.int32()): [1, None],
    pa.list_(pa.struct([("t", pa.timestamp("us", "UTC")), ("v", pa.float64())])): [{"t": WHEN, "v": None}],
    pa.map_(pa.string(), pa.float64()): [("k", 1.0)],
}
REFUSED = {
    pa.uint8(): "int64",
    pa.uint64(): "int64",
    pa.float16(): "float32",
    pa.decimal256(50, 3): "decimal128",
    pa.date64(): "date32",
    pa.timestamp("ns", "UTC"): "timestamp",
    pa.timestamp("us", "Europe/Zurich"): "UTC",
    pa.time64("us"): "number",
    pa.duration("us"): "number",
    pa.dictionary(pa.int32(), pa.string()): "string",
    pa.list_(pa.float32(), 3): "list_",
    pa.null(): "another",
    pa.list_(pa.uint8()): "int64",
    pa.struct([("a", pa.list_(pa.time64("us")))]): "number",
    pa.map_(pa.string(), pa.float16()): "float32",
}


def _table(*columns: tuple[str, pa.DataType], **parts: Any) -> Table:
    schema = pa.schema([("source_id", pa.string()), ("night_date", pa.date32()), *columns])
    return Table(schema, **{"key": ("source_id",), "sort": ("source_id",), **parts})


def _said(table: Table, name: str = "rows") -> str:
    return " · ".join(complaints({name: table}))


@pytest.mark.parametrize("kind", KEPT, ids=str)
def test_what_is_accepted_comes_back(kind: pa.DataType, tmp_path: Path) -> None:
    assert _said(_table(("x", kind))) == ""
    write_deltalake(str(tmp_path), pa.table({"x": pa.array([KEPT[kind], None], kind)}))
    assert DeltaTable(str(tmp_path)).to_pyarrow_table()["x"].to_pylist() == [KEPT[kind], None]
    assert pl.read_delta(str(tmp_path)).height == 2


@pytest.mark.parametrize("kind", REFUSED, ids=str)
def test_what_is_not_kept_is_refused_with_what_to_take(kind: pa.DataType) -> None:
    said = _said(_table(("x", kind)))
    assert "'x'" in said and str(kind) in said and REFUSED[kind] in said


@pytest.mark.parametrize("name", ["../up", "a/b", "_log", "", ".x", "a b", "a=b"])
def test_a_name_is_a_folder_of_its_own(name: str) -> None:
    assert "a name has" in _said(_table(), name)


def test_names_of_views_are_taken() -> None:
    assert [*complaints({"rows": _table(), "rows_all": _table()})] == [
        "table 'rows_all': queries call all versions of 'rows' so"
    ]
    assert [*complaints({"rows_all": _table(), "Grüße-2": _table()})] == []


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (_table(key=("nope",)), "key names 'nope'"),
        (_table(sort=("nope",)), "sort names 'nope'"),
        (_table(owner="nope"), "owner names 'nope'"),
        (_table(owner="night_date"), "must be a string"),
        (_table(key="source_id"), "write ('source_id',)"),
        (_table(key=()), "key is empty"),
        (_table(partition="nope"), "must be a column of dates"),
        (_table(("at", pa.timestamp("us", "UTC")), partition="at"), "must be a column of dates"),
        (_table(("module_id", pa.string())), "added by the engine"),
        (_table(("month", pa.string()), partition="night_date"), "added by the engine"),
        (_table(("x", pa.string()), ("X", pa.string())), "there twice"),
        (Table(pa.schema([]), ("a",), ("a",)), "with columns"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(table: Table, words: str) -> None:
    assert words in _said(table)


def test_our_own_tables_and_a_column_called_month_are_accepted() -> None:
    assert [*complaints(Night().outputs), *complaints(Diagnosed().outputs)] == []
    assert _said(_table(("month", pa.string()), ("a b", pa.float64()), partition=None)) == ""
