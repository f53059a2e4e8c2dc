"""What tables a module may declare. Asked when it is loaded: nothing is computed for a table that cannot be kept."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import pyarrow as pa
from pyarrow import types

from engine.module import Table

NAME = re.compile(r"[^\W_][\w-]*")
"""A table's name is a folder's and a name in SQL."""

KEPT = (
    types.is_boolean,
    types.is_signed_integer,
    types.is_float32,
    types.is_float64,
    types.is_decimal128,
    types.is_string,
    types.is_large_string,
    types.is_string_view,
    types.is_binary,
    types.is_large_binary,
    types.is_fixed_size_binary,
    types.is_date32,
    lambda kind: types.is_timestamp(kind) and kind.unit in ("ms", "us") and kind.tz in (None, "UTC"),
)
"""Types whose values Delta Lake keeps and every reader gives back; lists, structs and maps of them, too."""

INSTEAD = (
    (types.is_unsigned_integer, "a wider signed type (int64)"),
    (types.is_float16, "float32"),
    (types.is_decimal, "decimal128"),
    (types.is_date, "date32"),
    (types.is_timestamp, 'timestamp("us", "UTC")'),
    (types.is_time, "a number, with its unit"),
    (types.is_duration, "a number, with its unit"),
    (types.is_dictionary, "string; rows may hold codes (dictionary of int32) all the same"),
    (types.is_fixed_size_list, "list_"),
)


def complaints(outputs: Mapping[str, Table]) -> Iterator[str]:
    """A sentence for each table that cannot be kept as it is declared."""
    for name, table in outputs.items():
        whole = str(name).removesuffix("_all")
        if not isinstance(name, str) or not NAME.fullmatch(name):
            yield f"table {name!r}: a name has letters, digits, - and _, and begins with a letter or digit"
        elif whole != name and whole in outputs:
            yield f"table {name!r}: queries call all versions of {whole!r} so"
        yield from (f"table {name!r}: {wrong}" for wrong in _wrong(table))


def _wrong(table: Table) -> Iterator[str]:
    if not isinstance(table.schema, pa.Schema) or not len(table.schema):
        yield "its schema must be a pyarrow.Schema with columns"
        return
    seen: set[str] = set()
    for field in table.schema:
        if field.name.lower() in seen:
            yield f"column {field.name!r} is there twice (upper and lower case are one)"
        if field.name == "module_id" or (field.name == "month" and table.partition is not None):
            yield f"column {field.name!r} is added by the engine"
        seen.add(field.name.lower())
        if (advice := _refused(field.type)) is not None:
            yield f"column {field.name!r} is {field.type}, which Delta Lake does not keep: declare {advice}"
    yield from _wrong_parts(table, table.schema)


def _wrong_parts(table: Table, schema: pa.Schema) -> Iterator[str]:
    for part, columns in (("key", table.key), ("sort", table.sort), ("owner", [table.owner])):
        if isinstance(columns, str):
            yield f"{part} must be a tuple of column names: write ({columns!r},)"
            continue
        if not columns and part == "key":
            yield "key is empty: name the columns by which a row is told from every other"
        yield from (f"{part} names {column!r}, which is no column" for column in columns if column not in schema.names)
    if table.owner in schema.names and not types.is_string(schema.field(table.owner).type):
        yield f"owner {table.owner!r} must be a string"
    if table.partition is not None and (
        table.partition not in schema.names or not types.is_date32(schema.field(table.partition).type)
    ):
        yield f"partition {table.partition!r} must be a column of dates (date32)"


def _refused(kind: pa.DataType) -> str | None:
    """What to declare instead of a type, None where it can be kept."""
    if types.is_list(kind) or types.is_large_list(kind):
        return _refused(kind.value_type)
    if types.is_struct(kind) or types.is_map(kind):
        inner = list(kind) if types.is_struct(kind) else [kind.key_field, kind.item_field]
        return next((advice for one in inner if (advice := _refused(one.type)) is not None), None)
    if any(is_one(kind) for is_one in KEPT):
        return None
    return next((advice for is_one, advice in INSTEAD if is_one(kind)), "another type")
