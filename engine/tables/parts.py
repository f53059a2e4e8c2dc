"""Parts: whole Parquet files named by the SHA-256 of their bytes; tasks, replacement and compaction write them."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from engine.running.receipt import Part
from engine.storage import Store
from engine.tables.coded import as_text, fewest

ROW_GROUP_ROWS = 128 * 1024
SAMPLE_ROWS, SAMPLE_LISTS = 4096, 256
REPEATS = 8
ARROW_SCHEMA = "ARROW:schema"
"""Where Parquet's footer keeps the Arrow schema. Written here: the writer's own would make readers see codes."""


def write_part(store: Store, table: str, rows: pa.Table, keys: Sequence[str], partition: Mapping[str, str]) -> Part:
    """Write `rows` (sorted, no partition columns inside) as one part of `table`; the same rows give the same path.

    `keys` are the columns that get statistics. Raises `InfrastructureError` where storage gives up.
    """
    data = encode(rows, keys)
    path = part_path(partition, data)
    store.write(f"{table}/{path}", data)
    return Part(table, path, len(data), rows.num_rows, dict(partition), statistics(data, keys))


def encode(rows: pa.Table, keys: Sequence[str] | None = None) -> bytes:
    """Parquet bytes that depend on the rows and their schema only: zstd, row groups of 128 Ki rows, no pandas notes.

    Columns of codes become text. Row groups have statistics of the columns `keys`, of all if None.
    """
    sink = pa.BufferOutputStream()
    schema = rows.schema.remove_metadata()
    with pq.ParquetWriter(
        sink,
        schema,
        compression="zstd",
        # A dictionary of floats that hardly repeat costs 100 ns a value and is then thrown away.
        use_dictionary=_repeating(rows),
        # Nobody prunes by other columns: theirs took 40 of 300 ns a row of forecasts.
        write_statistics=True if keys is None else list(keys),
        store_schema=False,
    ) as writer:
        writer.add_key_value_metadata({ARROW_SCHEMA: base64.b64encode(as_text(schema).serialize())})
        size = _group_rows(rows)
        for at in range(0, rows.num_rows, size):
            writer.write_table(fewest(rows.slice(at, size)), row_group_size=size)
    return bytes(sink.getvalue())


def _group_rows(rows: pa.Table) -> int:
    """128 Ki, less where lists are long: 128 Ki values. One reads a subject's paths and not the whole part's."""
    lists = [rows[field.name] for field in rows.schema if pa.types.is_list(field.type)]
    values = [pc.sum(pc.list_value_length(one)).as_py() or 0 for one in lists]
    return max(1, int(ROW_GROUP_ROWS * rows.num_rows // max(1, rows.num_rows, *values)))


def _repeating(rows: pa.Table) -> list[str]:
    """Parquet columns worth a dictionary: those with 8 values or more a distinct one. With less, files were no smaller
    and took twice as long. Of floats, in lists or not, a sample tells; other columns of many rows are taken to repeat.
    """
    names = []
    for field in rows.schema if rows.num_rows >= REPEATS else ():
        path, kind, column = field.name, field.type, rows[field.name]
        while pa.types.is_list(kind):
            column, path, kind = pc.list_flatten(_evenly(column, SAMPLE_LISTS)), f"{path}.list.element", kind.value_type
        counted = pa.types.is_floating(kind) or (pa.types.is_primitive(kind) and rows.num_rows <= SAMPLE_ROWS)
        if not counted or _repeats(_evenly(column, SAMPLE_ROWS)):
            names.append(path)
    return names


def _repeats(sample: pa.ChunkedArray) -> bool:
    """Looks at a quarter first: if that has too many distinct values already, as most floats do, the rest is spared."""
    parts = (sample[: len(sample) // 4], sample)
    return all(REPEATS * pc.count_distinct(part).as_py() <= len(sample) for part in parts)


def _evenly(column: pa.ChunkedArray, most: int) -> pa.ChunkedArray:
    """At most so many values, from the whole of the column: neighbours are often equal."""
    n = len(column)
    return column if n <= most else column.take(pa.array(np.arange(most) * n // most))


def decode(data: bytes, columns: Sequence[str] | None = None) -> pa.Table:
    """The rows of a part, partition columns excluded. No thread outlives the call (see COMPONENTS: pyarrow at exit)."""
    # Not `pq.read_table`: it builds a dataset, with threads.
    return pq.ParquetFile(pa.BufferReader(data)).read(None if columns is None else list(columns), use_threads=False)


def part_path(partition: Mapping[str, str], data: bytes) -> str:
    """Path below the table's root.

    >>> part_path({"module_id": "night-0", "month": "2020-01"}, b"")[:33]
    'module_id=night-0/month=2020-01/e'
    """
    folders = [f"{column}={value}" for column, value in partition.items()]
    return "/".join([*folders, f"{hashlib.sha256(data).hexdigest()}.parquet"])


def statistics(data: bytes, keys: Sequence[str]) -> str:
    """Delta's JSON statistics over the columns `keys`, from the Parquet footer; no bounds where it has none."""
    footer = pq.read_metadata(pa.BufferReader(data))
    names = [footer.schema.column(i).path for i in range(footer.num_columns)]
    lowest: dict[str, Any] = {}
    highest: dict[str, Any] = {}
    nulls: dict[str, int] = {}
    for key in keys:
        if key not in names:
            continue
        found = [footer.row_group(g).column(names.index(key)).statistics for g in range(footer.num_row_groups)]
        if not found or any(one is None or not one.has_null_count for one in found):
            continue
        nulls[key] = sum(one.null_count for one in found)
        bounded = [one for one in found if one.has_min_max]
        # A group of nulls only has no bounds and narrows nothing; any other group without bounds spoils them.
        if bounded and all(one.has_min_max or one.num_values == 0 for one in found):
            lowest[key] = _json_value(min(one.min for one in bounded))
            highest[key] = _json_value(max(one.max for one in bounded))
    told = {"numRecords": footer.num_rows, "minValues": lowest, "maxValues": highest, "nullCount": nulls}
    return json.dumps(told, sort_keys=True, separators=(",", ":"))


def _json_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return value.isoformat() if isinstance(value, date) else value
