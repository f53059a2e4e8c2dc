"""Delta tables as nightmill lays them out: one folder a table, partitions by module and month, parts added by path.

All that is known of the `deltalake` package is here. What it does not check by itself (a part that is missing, a
transaction applied twice, a column too many) is checked by the callers: see `engine.commit`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import polars as pl
import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Field, Schema, Transaction
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.transaction import AddAction, RemoveAction, create_table_with_add_actions

from engine.errors import InfrastructureError, NightmillError, SchemaChanged
from engine.module import Table, column
from engine.running.receipt import Part
from engine.schemas import DICTIONARY, RUNS
from engine.storage import Store
from engine.stores.refusals import NO_ANSWER, meaning

APP = "nightmill"
"""Name under which each table remembers the number of the last commit that touched it."""

UNPARTITIONED = (RUNS, DICTIONARY)
PARTITIONS = {
    "module_id": column("module_id", pa.string(), "1", "name and hash of the code and parameters that made the row"),
    "month": column("month", pa.string(), "1", "month of the partition's date column, YYYY-MM"),
}


class Conflict(Exception):
    """Another writer committed to the table in the same moment; never leaves `engine.commit`."""


class _LocalTable(DeltaTable):  # type: ignore[misc]
    """Tells paths as they are: delta-rs tells URIs, which polars takes for paths, and so found no `my%20folder`."""

    @property
    def table_uri(self) -> str:
        return unquote(str(super().table_uri).removeprefix("file://"))

    def file_uris(self, *args: Any) -> list[str]:
        return [unquote(path) for path in super().file_uris(*args)]


@dataclass(frozen=True, slots=True)
class Layout:
    """How a table lies in storage. `sort` and `owner` are kept in the table's description, for later compaction."""

    schema: str
    partition_by: tuple[str, ...]
    sort: tuple[str, ...]
    owner: str
    key: tuple[str, ...] = ()

    @property
    def description(self) -> str:
        # Not in the table's configuration: delta-rs 1.6 refuses properties that it does not know.
        return json.dumps({"sort": self.sort, "owner": self.owner, "key": self.key})

    @property
    def configuration(self) -> dict[str, str]:
        """Which columns have statistics: without it delta-rs 1.6 takes every other one for a column of nulls, and a
        reader that filters by it (`DeltaTable.to_pyarrow_dataset`) finds no row."""
        bounded = [name for name in self.key if name not in self.partition_by]
        return {"delta.dataSkippingStatsColumns": ",".join(bounded)} if bounded else {}


@dataclass(frozen=True, slots=True)
class LivePart:
    """A part that the table holds now, with the bounds of its owner column, or of another (None = unknown)."""

    part: Part
    lowest: str | None
    highest: str | None


def layout(table: Table) -> Layout:
    """The layout of a module's or the engine's table: its schema with the partition columns behind."""
    names = _partition_columns(table)
    return Layout(Schema.from_arrow(pa.schema(documented(table))).to_json(), names, table.sort, table.owner, table.key)


def documented(table: Table) -> list[pa.Field]:
    """All columns as readers see them: the table's own, then those by which it is partitioned."""
    return [*table.schema, *(PARTITIONS[name] for name in _partition_columns(table) if name not in table.schema.names)]


def _partition_columns(table: Table) -> tuple[str, ...]:
    if table in UNPARTITIONED:
        return ()
    return ("module_id",) if table.partition is None else ("module_id", "month")


def open_table(store: Store, name: str) -> DeltaTable | None:
    """A fresh handle, or None where there is no such table. A handle never sees what is committed after its opening."""
    server = f" at {store.options.endpoint}" if store.options.endpoint else ""
    with _translated(f"{store.delta_uri(name)}{server}"):
        try:
            return (_LocalTable if store.is_local else DeltaTable)(
                store.delta_uri(name), storage_options=store.delta_options()
            )
        except TableNotFoundError:
            return None


def layout_of(handle: DeltaTable) -> Layout:
    """The layout of a table as it lies in storage."""
    about = handle.metadata()
    told = json.loads(about.description or "{}")
    return Layout(
        handle.schema().to_json(),
        tuple(about.partition_columns),
        tuple(told.get("sort", ())),
        told.get("owner", "source_id"),
        tuple(told.get("key", ())),
    )


def arrow_schema(wanted: Layout) -> pa.Schema:
    """The columns inside a part: the table's without its partition columns."""
    whole = pa.schema(Schema.from_json(wanted.schema).to_arrow())
    return pa.schema([field for field in whole if field.name not in wanted.partition_by])


def missing_columns(handle: DeltaTable, name: str, wanted: Layout) -> list[Field]:
    """Columns of `wanted` that the table lacks. Raises `SchemaChanged` where a column is of another type there."""
    have = {field.name: field for field in handle.schema().fields}
    fields = Schema.from_json(wanted.schema).fields
    for field in fields:
        if field.name in have and have[field.name].type != field.type:
            raise SchemaChanged(
                f"table {name}, column {field.name}: it holds {_type_name(have[field.name])} and the module now gives "
                f"{_type_name(field)}; write to another output, or give the column a new name"
            )
    found = tuple(handle.metadata().partition_columns)
    if found != wanted.partition_by:
        raise SchemaChanged(f"table {name} is partitioned by {found}; the module now asks for {wanted.partition_by}")
    # Old rows have no value there, so a new column can be null whatever the module promises.
    return [Field(f.name, f.type, nullable=True, metadata=f.metadata) for f in fields if f.name not in have]


def is_narrower(store: Store, name: str, wanted: Layout) -> bool:
    """Whether the table is absent or lacks columns. Raises `SchemaChanged`."""
    handle = open_table(store, name)
    return handle is None or bool(missing_columns(handle, name, wanted))


def _type_name(field: Field) -> str:
    return str(getattr(field.type, "type", field.type))


def create(store: Store, name: str, wanted: Layout, adds: Sequence[Part], number: int) -> bool:
    """Create the table with its first parts as commit `number`; False where somebody else created it meanwhile."""
    try:
        create_table_with_add_actions(
            store.delta_uri(name),
            Schema.from_json(wanted.schema),
            [_add(part, True) for part in adds],
            mode="error",
            partition_by=list(wanted.partition_by),
            description=wanted.description,
            configuration=wanted.configuration,
            storage_options=store.delta_options(),
            commit_properties=CommitProperties(app_transactions=[Transaction(APP, number)]),
        )
    except DeltaError as error:
        if open_table(store, name) is None:
            raise InfrastructureError(f"table {name} could not be created: {error}") from error
        return False
    except OSError as error:
        raise _sort_out(str(error), name) from None
    return True


def write(
    handle: DeltaTable, name: str, adds: Sequence[Part], removes: Sequence[Part], number: int, data_change: bool
) -> None:
    """One transaction: some parts out, some in, and the number remembered. Raises `Conflict`, `InfrastructureError`."""
    out = [RemoveAction(p.path, data_change, _now_ms(), p.size_bytes, dict(p.partition)) for p in removes]
    with _translated(name):
        handle.create_write_transaction(
            [*out, *(_add(part, data_change) for part in adds)],
            "append",
            handle.schema(),
            partition_by=handle.metadata().partition_columns,
            commit_properties=CommitProperties(app_transactions=[Transaction(APP, number)]),
        )


def add_columns(handle: DeltaTable, name: str, fields: Sequence[Field]) -> None:
    """Widen the table by its own transaction (delta-rs drops the columns of a wider append without a word)."""
    with _translated(name):
        handle.alter.add_columns(list(fields))


def unused(handle: DeltaTable, name: str, older_than_h: int, *, delete: bool, orphans: bool) -> list[str]:
    """Paths of files that the table no longer uses; with `orphans` also of those that it never did. `delete`s them.

    Age counts from the removal, for orphans from the last change.
    """
    with _translated(name):
        paths: list[str] = handle.vacuum(
            older_than_h, dry_run=not delete, enforce_retention_duration=False, full=orphans
        )
        return paths


def checkpoint(handle: DeltaTable, name: str) -> int:
    """Write down the handle's version whole, and return its number: a reader needs no earlier entry of the log."""
    with _translated(name):
        handle.create_checkpoint()
        version: int = handle.version()
        return version


def live(handle: DeltaTable, name: str, module_id: str | None = None, by: str | None = None) -> list[LivePart]:
    """Parts that the table holds now, of one module or of all, sorted by path. `by`: whose bounds, not the owner's."""
    frame = pl.DataFrame(handle.get_add_actions(flatten=True))
    partition_by = handle.metadata().partition_columns
    if module_id is not None and "module_id" in partition_by:
        frame = frame.filter(pl.col("partition.module_id") == module_id)
    bounded = by or layout_of(handle).owner
    return sorted((_live(row, name, bounded, partition_by) for row in frame.iter_rows(named=True)), key=_path)


def _live(row: Mapping[str, Any], name: str, bounded: str, partition_by: Sequence[str]) -> LivePart:
    partition = {column: row[f"partition.{column}"] for column in partition_by}
    part = Part(name, row["path"], row["size_bytes"], row["num_records"] or 0, partition, "")
    return LivePart(part, row.get(f"min.{bounded}"), row.get(f"max.{bounded}"))


def _path(item: LivePart) -> str:
    return item.part.path


def _add(part: Part, data_change: bool) -> AddAction:
    return AddAction(part.path, part.size_bytes, dict(part.partition), _now_ms(), data_change, part.statistics)


def _now_ms() -> int:
    return int(time.time() * 1000)


@contextmanager
def _translated(name: str) -> Iterator[None]:
    try:
        yield
    except TableNotFoundError:
        raise
    except CommitFailedError as error:
        raise Conflict(f"table {name}: {error}") from error
    except DeltaError as error:
        raise InfrastructureError(f"table {name}: {error}") from error
    except OSError as error:
        # `from None`: the message quotes the server's answer, request and all.
        raise _sort_out(str(error), name) from None


def _sort_out(text: str, name: str) -> NightmillError:
    """What storage said below delta-rs, which makes one kind of error of everything."""
    kind, why = meaning(text) or (InfrastructureError, NO_ANSWER)
    return kind(f"table {name}: {why}")
