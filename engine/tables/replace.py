"""Replacement: the rows of some units of work leave a table in the same transaction in which their successors come."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from engine.running.receipt import Part
from engine.storage import Store
from engine.tables import delta
from engine.tables.delta import Layout, LivePart
from engine.tables.intents import Change
from engine.tables.parts import decode, write_part


def change(
    store: Store, name: str, layout: Layout, module_id: str, adds: Sequence[Part], keys: Collection[str]
) -> Change:
    """Parts in, and every row of `module_id` whose owner is among `keys` out.

    A live part that holds such rows is replaced by one without them. That one is written here; it is named by its
    content, so that repeating this after a crash writes the same file again.
    """
    handle = delta.open_table(store, name) if keys else None
    gone = sorted(keys)
    new, old = list(adds), list[Part]()
    for found in [] if handle is None else delta.live(handle, name, module_id):
        if not may_hold(found, gone):
            continue
        rest = _without(store, found.part, layout, gone)
        if rest is not found.part:
            old.append(found.part)
            new += [] if rest is None else [rest]
    # A retry with the same result brings the same part back: then nothing changes in the table.
    return Change.exchange(name, layout, new, old)


def may_hold(found: LivePart, keys: Sequence[str]) -> bool:
    """Whether one of the sorted `keys` lies within the part's bounds; True where it has none."""
    if found.lowest is None or found.highest is None:
        return True
    return bisect_left(keys, found.lowest) < bisect_right(keys, found.highest)


def _without(store: Store, part: Part, layout: Layout, keys: Sequence[str]) -> Part | None:
    """The part itself if it holds none of the rows, None if it holds nothing else, or a new part with the rest."""
    data = store.read(f"{part.table}/{part.path}")
    owners = decode(data, [layout.owner]).column(0)
    gone = pc.is_in(owners, value_set=pa.array(keys, owners.type))
    count = pc.sum(gone).as_py() or 0
    if count == 0:
        return part
    if count == len(gone):
        return None
    return write_part(store, part.table, decode(data).filter(pc.invert(gone)), layout.key, part.partition)


class Owed:
    """Works whose earlier rows must go, until they went.

    Those that more than one commit may take out are given out once: a work that two others supersede may have committed
    new rows of its own in between. All others go with the one commit that names them.
    """

    def __init__(self, shared: Iterable[str]) -> None:
        self._shared = frozenset(shared)
        self._left = set(self._shared)

    def take(self, keys: Iterable[str]) -> set[str]:
        """Those of `keys` that still are to go."""
        due = {key for key in keys if key not in self._shared or key in self._left}
        self._left -= due
        return due

    def rest(self) -> set[str]:
        """All shared ones that are left."""
        return self.take(list(self._left))
