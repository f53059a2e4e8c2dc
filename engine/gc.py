"""Garbage: files that no reader of an output's present state needs, found and deleted by Delta's own vacuum.

Three kinds: `orphan` (a part written for a commit that never came: its driver or worker was killed, or its batch ran
twice), `old` (left by replacement and compaction; earlier versions of a table need it), and `unfinished` (half a file
on a local disk, whose writer was killed). A driver at work has parts that no table knows yet. Only their age tells them
from orphans, hence the floor.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.commit import recover
from engine.errors import ConfigError
from engine.results.open import tables
from engine.running.record import refuse_if_running
from engine.storage import Store
from engine.stores.disk import UNFINISHED
from engine.tables import delta, intents

FLOOR_H = 24
"""Above the longest batch: 64 works of 300 s, sent three times, take 16 h."""
ORPHAN, OLD, HALF = "orphan", "old", "unfinished"


@dataclass(frozen=True, slots=True)
class Waste:
    """One file. `path` is relative to the table's root, of an unfinished one to the output's."""

    kind: str
    table: str
    path: str
    size_bytes: int


def find(store: Store, older_than_h: int, floor_h: int = FLOOR_H) -> list[Waste]:
    """What `collect` would delete. Raises `ConfigError` for an age below the floor."""
    _check_age(older_than_h, floor_h)
    newest = intents.last(store)
    promised = {(part.table, part.path) for change in (newest.changes if newest else ()) for part in change.adds}
    found = [waste for name in tables(store) for waste in _of_table(store, name, older_than_h)]
    return [waste for waste in found if (waste.table, waste.path) not in promised] + list(_halves(store, older_than_h))


def collect(store: Store, older_than_h: int, floor_h: int = FLOOR_H) -> list[Waste]:
    """Delete garbage of at least this age, and say what went.

    Completes an interrupted commit first, since its parts are no garbage. Raises `ConfigError`, and `OutputBusy` where
    a run of this host is at work.
    """
    _check_age(older_than_h, floor_h)
    refuse_if_running(store)
    recover(store)
    found = find(store, older_than_h, floor_h)
    for name in sorted({waste.table for waste in found if waste.kind != HALF}):
        handle = delta.open_table(store, name)
        if handle is not None:
            delta.unused(handle, name, older_than_h, delete=True, orphans=True)
    for waste in found:
        if waste.kind == HALF:
            store.delete(waste.path)
    return found


def _check_age(older_than_h: int, floor_h: int) -> None:
    if older_than_h < floor_h:
        raise ConfigError(
            f"an age of {older_than_h} h could hit parts of a batch that still runs; {floor_h} h is the least here"
        )


def _of_table(store: Store, name: str, older_than_h: int) -> Iterator[Waste]:
    handle = delta.open_table(store, name)
    unused = [] if handle is None else delta.unused(handle, name, older_than_h, delete=False, orphans=True)
    if handle is None or not unused:
        return
    removed = set(delta.unused(handle, name, older_than_h, delete=False, orphans=False))
    sizes = {entry.path.removeprefix(f"{name}/"): entry.size_bytes for entry in store.list(name)}
    for path in sorted(unused):
        if path in sizes:
            yield Waste(OLD if path in removed else ORPHAN, name, path, sizes[path])


def _halves(store: Store, older_than_h: int) -> Iterator[Waste]:
    if not store.is_local:  # an upload that was cut off leaves no object
        return
    before = time.time() - 3600 * older_than_h
    for path in sorted(Path(store.uri).rglob(f".*{UNFINISHED}")):
        about = path.stat()
        if about.st_mtime < before:
            name = path.relative_to(store.uri).as_posix()
            yield Waste(HALF, name.partition("/")[0], name, about.st_size)
