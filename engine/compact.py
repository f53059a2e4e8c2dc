"""Compaction: the crumbs that batches leave become a few large sorted parts, with the same rows.

It goes through the same intents as every other commit, so a crash in the middle of it is replayed or forgotten, and
the parts it wrote in vain are orphans that hurt nobody. One bounded group of crumbs is in memory at a time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from engine.commit import Journal
from engine.events import Compacted, Listener, ignore
from engine.running.receipt import Part
from engine.storage import Store
from engine.tables import delta
from engine.tables.delta import Layout, LivePart
from engine.tables.digest import Digest, digest
from engine.tables.intents import Change
from engine.tables.parts import decode, write_part

STEP_ROWS = 128 * 1024
"""A rewritten part has a multiple of these, the last one the rest."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """What to aim at and how much to rewrite at once: bytes of compressed Parquet, and rows. The defaults are a run's.

    Measured: 46 MB of epochs that compress sixfold took 0.75 GB, twice their size in memory, and 4 s; 90 MB of attempts
    1 GB, which made memory grow with the number of series; forecasts compress a hundredfold, hence the bound on rows.
    """

    part_bytes: int = 128 * 1024 * 1024
    group_bytes: int = 16 * 1024 * 1024
    group_rows: int = 1_000_000
    spared_bytes: int = 1024 * 1024
    """Parts from this size stay as they are while their partition has few: a batch of nights gives such parts of
    epochs, and rewriting them at the end of each run cost 7 % of processing them."""
    fewest: int = 2
    """Fewer small parts of a partition are not worth a rewrite."""
    many: int = 64
    """A partition with more small parts is crowded: none is spared, and a run compacts the table in between."""

    @property
    def crumb_bytes(self) -> int:
        return self.part_bytes // 2


def compact(journal: Journal, tables: Iterable[str], listener: Listener = ignore, sizes: Sizes | None = None) -> None:
    """Compact each of the tables; one commit for each that has something to gain. Absent tables are skipped."""
    for name in tables:
        done = compact_table(journal, name, sizes or Sizes())
        if done is not None:
            listener(done)


def compact_table(journal: Journal, name: str, sizes: Sizes) -> Compacted | None:
    """Rewrite every group of crumbs of one table. None if there was nothing to gain."""
    handle = delta.open_table(journal.store, name)
    if handle is None:
        return None
    layout = delta.layout_of(handle)
    parts = delta.live(handle, name)
    removes: list[Part] = []
    adds: list[Part] = []
    for group in crumbs(parts, sizes):
        adds += _rewrite(journal, group, layout, sizes)
        removes += group
    if not removes:
        return None
    journal.post("compact", [Change.exchange(name, layout, adds, removes, data_change=False)])
    return Compacted(name, len(parts), len(parts) - len(removes) + len(adds))


def crumbs(parts: Sequence[LivePart], sizes: Sizes) -> list[list[Part]]:
    """Groups of two or more small parts of one partition that has enough of them, near each other in the order of their
    owners."""
    partitions: dict[tuple[tuple[str, str], ...], list[LivePart]] = defaultdict(list)
    for found in parts:
        if found.part.size_bytes < sizes.crumb_bytes:
            partitions[tuple(found.part.partition.items())].append(found)
    groups: list[list[Part]] = []
    for small in partitions.values():
        worth = _not_spared(small, sizes)
        if len(worth) < sizes.fewest:
            continue
        held: list[Part] = []
        for found in sorted(worth, key=lambda one: (one.lowest or "", one.part.path)):
            if held and not _fits(held, found.part, sizes):
                groups.append(held)
                held = []
            held.append(found.part)
        groups.append(held)
    return [group for group in groups if len(group) > 1]


def _fits(held: Sequence[Part], more: Part, sizes: Sizes) -> bool:
    parts = [*held, more]
    in_bytes = sum(part.size_bytes for part in parts) <= sizes.group_bytes
    return in_bytes and sum(part.rows for part in parts) <= sizes.group_rows


def _not_spared(small: Sequence[LivePart], sizes: Sizes) -> list[LivePart]:
    is_crowded = len(small) > sizes.many
    return [found for found in small if is_crowded or found.part.size_bytes < sizes.spared_bytes]


def _rewrite(journal: Journal, group: Sequence[Part], layout: Layout, sizes: Sizes) -> list[Part]:
    """The group's rows as few sorted parts, read back and proven to be the same rows."""
    store, schema, before = journal.store, delta.arrow_schema(layout), Digest()
    read: list[pa.Table] = []
    for part in group:
        read.append(_read(store, part, schema))
        before += digest(read[-1])  # piece by piece: a digest of the whole would copy it once more
    order = dict.fromkeys([*layout.sort, *layout.key])
    rows = pa.concat_tables(read).sort_by([(column, "ascending") for column in order])
    read.clear()
    step = _rows_a_part(rows.num_rows, sum(part.size_bytes for part in group), sizes)
    written = [
        write_part(store, group[0].table, rows.slice(at, step), layout.key, group[0].partition)
        for at in range(0, rows.num_rows, step)
    ]
    del rows
    after = sum((digest(_read(store, part, schema)) for part in written), Digest())
    if after != before:
        # A bug of ours or a broken disk.
        raise RuntimeError(f"{store.uri}/{group[0].table}: {before} became {after}; nothing was committed")
    return written


def _read(store: Store, part: Part, schema: pa.Schema) -> pa.Table:
    return _fit(decode(store.read(f"{part.table}/{part.path}")), schema)


def _fit(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """Rows of an older, narrower schema get nulls in the columns that came later."""
    for field in schema:
        if field.name not in rows.column_names:
            rows = rows.append_column(field, pa.nulls(rows.num_rows, field.type))
    return rows.select(schema.names).cast(schema)


def _rows_a_part(rows: int, size_bytes: int, sizes: Sizes) -> int:
    parts = max(1, round(size_bytes / sizes.part_bytes))
    return -(-rows // parts // STEP_ROWS) * STEP_ROWS or 1
