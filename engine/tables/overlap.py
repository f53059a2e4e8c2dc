"""The parts of a table that may hold rows of some subjects, and those rows alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from engine.module import Table
from engine.storage import Store, StoreOptions, split_uri
from engine.tables import delta
from engine.tables.delta import LivePart
from engine.work import FileRef

SUBJECT = "subject_id"


def live_parts(store: Store, table: str, module_id: str | None = None) -> list[LivePart]:
    """Parts of a table with the bounds of their subjects; none where there is no such table."""
    handle = delta.open_table(store, table)
    return [] if handle is None else delta.live(handle, table, module_id, by=SUBJECT)


def overlapping(store: Store, parts: Iterable[LivePart], lowest: str, highest: str) -> tuple[FileRef, ...]:
    """Those that may hold rows of subjects lowest … highest, by path."""
    return tuple(
        FileRef(found.part.path, f"{store.uri}/{found.part.table}/{found.part.path}", found.part.size_bytes, "")
        for found in parts
        if found.lowest is None or found.highest is None or not (found.highest < lowest or found.lowest > highest)
    )


def read_rows(
    parts: Sequence[FileRef], options: StoreOptions, declared: Table, columns: Sequence[str], subjects: tuple[str, str]
) -> pa.Table:
    """Rows of subjects from the first to the second, both included; row groups without any are not decoded."""
    empty = pa.schema([declared.schema.field(name) for name in columns]).empty_table()
    found = [_between(_read(part.uri, options), columns, *subjects) for part in parts]
    return pa.concat_tables([empty, *found], promote_options="permissive").combine_chunks()


def _between(data: bytes, columns: Sequence[str], lowest: str, highest: str) -> pa.Table:
    file = pq.ParquetFile(pa.BufferReader(data))
    leaf = _leaf(file, file.schema_arrow.names.index(SUBJECT))
    groups = []
    for number in range(file.metadata.num_row_groups):
        found = file.metadata.row_group(number).column(leaf).statistics
        if found is None or not found.has_min_max or not (found.max < lowest or found.min > highest):
            groups.append(number)
    rows = file.read_row_groups(groups, list(columns), use_threads=False)
    subject = rows[SUBJECT]
    wanted = pc.and_(pc.greater_equal(subject, lowest), pc.less_equal(subject, highest))
    at = pc.indices_nonzero(wanted).to_numpy()
    if len(at) and at[-1] - at[0] + 1 == len(at):
        return rows.slice(at[0], len(at))  # as in any part sorted by subject: no copy
    return rows.filter(wanted)


def _leaf(file: pq.ParquetFile, at: int) -> int:
    """Number of the leaf column that is the schema's field `at`: lists before it would shift nothing, but be sure."""
    name = file.schema_arrow.names[at]
    return next(i for i in range(file.metadata.num_columns) if file.metadata.schema.column(i).path == name)


def _read(uri: str, options: StoreOptions) -> bytes:
    parent, name = split_uri(uri)
    return Store(parent, options).read(name)
