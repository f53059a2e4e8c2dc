"""Erasure: every row of one subject leaves an output, its history and its records, not only its present state.

The rows go in one commit, as a replacement would take them. But they are still in the parts of earlier versions, in
orphans, in the statistics (lowest and highest key of a part) of Delta's log and of the intents, and the frozen
inventories name the files. So those parts are deleted, the logs are cut to a checkpoint of the present version, earlier
intents are emptied to the number that fences drivers, and the inventories are rewritten. Every step can be repeated:
the same call completes one that was killed.
"""

from __future__ import annotations

import io
import re
import socket
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from engine import ledger
from engine.commit import LEDGER, Journal, recover
from engine.results.open import tables
from engine.running.receipt import Part
from engine.running.record import refuse_if_running
from engine.storage import Store
from engine.tables import delta, intents
from engine.tables.delta import Layout
from engine.tables.intents import Change
from engine.tables.parts import decode, write_part

RECORDS = ("runs", "dictionary")
"""Tables without a row of any subject."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What differs between kinds of output. teller: the table that says which units of work had the subject; it is
    forgotten last. mixed: tables whose rows are of all subjects together, and go whole. source: what may bring the
    subject back."""

    teller: str
    mixed: tuple[str, ...]
    source: str


REPROCESSING = Kind(
    LEDGER, (), "raw files and subjects tables: the next reprocess brings back whom its inputs still hold"
)
_LOG = re.compile(r"\d{20}\.(?:json|crc|checkpoint.*\.parquet)")


@dataclass(frozen=True, slots=True)
class Erased:
    """What went: rows by table, files of earlier versions, rows of frozen inventories; and what may still name the
    subject and is beyond an output's reach.
    """

    rows: dict[str, int]
    files: int
    inventory_rows: int
    remains: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Person:
    """By what the rows of one subject are known: its name, and the keys of its works."""

    subject: str
    keys: frozenset[str]
    kind: Kind

    def rows(self, name: str, columns: pa.Table, owner: str) -> pa.ChunkedArray:
        """(n,) bool: which rows of a table go; `columns` holds the owner, and subject_id where there is one."""
        if name in self.kind.mixed:
            return pa.chunked_array([pa.repeat(bool(self.keys), columns.num_rows)])
        mine = pc.is_in(columns[owner], value_set=pa.array(sorted(self.keys), pa.string()))
        if "subject_id" in columns.column_names:
            mine = pc.or_(mine, pc.fill_null(pc.equal(columns["subject_id"], self.subject), False))
        return mine


def find(store: Store, subject: str, kind: Kind = REPROCESSING) -> dict[str, int]:
    """Rows that `erase` would take out of each table's present version; empty where there are none."""
    person = _person(store, subject, kind)
    found = {}
    for name in _tables(store, kind):
        count = sum(count for _, count in _hits(store, name, person))
        if count:
            found[name] = count
    return found


def erase(store: Store, subject: str, kind: Kind = REPROCESSING) -> Erased:
    """Take one subject out of everything. Raises `OutputBusy` where a run is at work."""
    refuse_if_running(store)
    number = recover(store)
    person = _person(store, subject, kind)
    rows = find(store, subject, kind)
    changes = [_without(store, name, person) for name in rows]
    run_id = f"erase-{datetime.now(UTC):%Y%m%dT%H%M%S}"
    journal = Journal(store, run_id, socket.gethostname(), number)
    journal.post("erase", changes)
    files = sum(_forget_parts(store, name, person) for name in _tables(store, kind))
    for name in _tables(store, kind):
        _cut_log(store, name)
    for earlier in intents.earlier(store, journal.number):
        intents.empty(store, earlier)
    inventory_rows = sum(_forget_inventory(store, entry.path, person) for entry in store.list("_runs"))
    return Erased(rows, files, inventory_rows, _remains(store, person))


def _tables(store: Store, kind: Kind) -> list[str]:
    """Those with rows of subjects; the teller last, since it tells whose works the others' rows came from."""
    return [*(name for name in tables(store) if name not in (*RECORDS, kind.teller)), kind.teller]


def _person(store: Store, subject: str, kind: Kind) -> Person:
    """Keys also from what a killed erasure has not reached: old parts of the teller and frozen inventories."""
    keys: set[str] = set()
    for path in _parts(store, kind.teller):
        told = _read(store, f"{kind.teller}/{path}", ["subject_id", "work_key"])
        keys.update(told.filter(pc.equal(told["subject_id"], subject))["work_key"].to_pylist())
    for entry in store.list("_runs"):
        if entry.path.endswith(".parquet"):
            rows = pl.read_parquet(store.read(entry.path))
            if "subject_id" in rows.columns:
                keys.update(rows.filter(pl.col("subject_id") == subject)["source_id"].drop_nulls())
    return Person(subject, frozenset(keys), kind)


def _parts(store: Store, name: str) -> Iterator[str]:
    """All Parquet files in a table's folder, whether or not the table has them now."""
    for entry in store.list(name):
        path = entry.path.removeprefix(f"{name}/")
        if path.endswith(".parquet") and not path.startswith("_delta_log/"):
            yield path


def _read(store: Store, path: str, columns: Collection[str]) -> pa.Table:
    """Those of the columns that the part has."""
    data = store.read(path)
    have = set(pq.read_schema(pa.BufferReader(data)).names)
    return decode(data, [name for name in columns if name in have])


def _hits(store: Store, name: str, person: Person) -> Iterator[tuple[Part, int]]:
    """Live parts with rows of the person, and how many."""
    handle = delta.open_table(store, name)
    if handle is None:
        return
    layout = delta.layout_of(handle)
    for found in delta.live(handle, name):
        count = _count(store, name, found.part.path, person, layout)
        if count:
            yield found.part, count


def _count(store: Store, name: str, path: str, person: Person, layout: Layout) -> int:
    columns = _read(store, f"{name}/{path}", [layout.owner, "subject_id"])
    return pc.sum(person.rows(name, columns, layout.owner)).as_py() or 0


def _without(store: Store, name: str, person: Person) -> Change:
    """Each part with rows of the person becomes one without them."""
    handle = delta.open_table(store, name)
    assert handle is not None
    layout = delta.layout_of(handle)
    old, new = list[Part](), list[Part]()
    for part, count in _hits(store, name, person):
        old.append(part)
        if count < part.rows:
            rows = decode(store.read(f"{name}/{part.path}"))
            rest = rows.filter(pc.invert(person.rows(name, rows, layout.owner)))
            new.append(write_part(store, name, rest, layout.key, part.partition))
    return Change.exchange(name, layout, new, old)


def _forget_parts(store: Store, name: str, person: Person) -> int:
    """Delete what the table no longer has and holds rows of the person: earlier versions, orphans."""
    handle = delta.open_table(store, name)
    if handle is None:
        return 0
    live, layout = {found.part.path for found in delta.live(handle, name)}, delta.layout_of(handle)
    gone = [path for path in _parts(store, name) if path not in live and _count(store, name, path, person, layout)]
    for path in gone:
        store.delete(f"{name}/{path}")
    return len(gone)


def _cut_log(store: Store, name: str) -> None:
    """The log starts anew at the present version, whose checkpoint knows live parts only by their own statistics."""
    handle = delta.open_table(store, name)
    if handle is None:
        return
    version = delta.checkpoint(handle, name)
    for entry in store.list(f"{name}/_delta_log"):
        file = entry.path.rpartition("/")[2]
        if _LOG.fullmatch(file) and int(file[:20]) < version:
            store.delete(entry.path)


def _forget_inventory(store: Store, path: str, person: Person) -> int:
    """Rewrite a frozen inventory without the person's files; how many rows went."""
    if not path.endswith(".parquet"):
        return 0
    rows = pl.read_parquet(store.read(path))
    mine = pl.lit(False)
    if "subject_id" in rows.columns:
        mine |= (pl.col("subject_id") == person.subject).fill_null(False)
    if "source_id" in rows.columns:
        mine |= pl.col("source_id").is_in(pl.Series(sorted(person.keys), dtype=pl.String).implode()).fill_null(False)
    if "uri" in rows.columns:  # ignored objects have no subject
        mine |= pl.col("uri").str.split("/").list.contains(person.subject).fill_null(False)
    kept = rows.filter(~mine)
    if kept.height < rows.height:
        buffer = io.BytesIO()
        kept.write_parquet(buffer)
        store.write(path, buffer.getvalue())
    return rows.height - kept.height


def _remains(store: Store, person: Person) -> tuple[str, ...]:
    told = ledger.runs(store).filter(pl.col("config").str.contains(person.subject, literal=True))
    named = (f"settings of run {run_id} contain {person.subject!r}" for run_id in told["run_id"])
    beyond = [person.kind.source]
    beyond.append(
        "copies elsewhere: backups, exports, reports, noncurrent versions of a versioned bucket, half-written files"
    )
    return (*named, *beyond)
