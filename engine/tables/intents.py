"""Intents: what a commit is about to do to each table, written down before it does it.

Delta has no transaction over several tables. So every change of an output, of whatever kind, is first put as
`_intents/<n>.json` where no such file was; that put is the commit. Bringing it to the tables can then be repeated by
anyone until it is done, and of two drivers that want number n one finds it taken.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from engine.errors import InfrastructureError, OutputBusy
from engine.running.receipt import Part
from engine.storage import Store
from engine.tables.delta import Layout

FOLDER = "_intents"
_NAME = re.compile(rf"{FOLDER}/(\d+)\.json")


@dataclass(frozen=True, slots=True)
class Change:
    """What one intent does to one table: create or widen it to `layout`, then parts out and parts in, at once.

    `data_change` is False where the rows stay the same (compaction), so that streaming readers may skip it.
    """

    table: str
    layout: Layout
    adds: tuple[Part, ...] = ()
    removes: tuple[Part, ...] = ()
    data_change: bool = True

    @classmethod
    def exchange(
        cls, table: str, layout: Layout, adds: Iterable[Part], removes: Iterable[Part], data_change: bool = True
    ) -> Change:
        """Parts in and parts out. One that is among both stays: Delta refuses both in one transaction."""
        new, old = ({part.path: part for part in parts} for parts in (adds, removes))
        stay = new.keys() & old.keys()
        come, go = (tuple(p for path, p in sorted(side.items()) if path not in stay) for side in (new, old))
        return cls(table, layout, come, go, data_change)


@dataclass(frozen=True, slots=True)
class Intent:
    """Commit `number` of an output. `changes` are made in their order; readers join with the ledger, so it is last."""

    number: int
    run_id: str
    host: str
    purpose: str
    changes: tuple[Change, ...]

    def __post_init__(self) -> None:
        names = [change.table for change in self.changes]
        if len(set(names)) != len(names):  # a table remembers only the number, so the second would seem done
            raise ValueError(f"two changes of one table in an intent: {names}")


def encode(intent: Intent) -> bytes:
    return json.dumps(asdict(intent), sort_keys=True, separators=(",", ":")).encode()


def decode(data: bytes) -> Intent:
    told = json.loads(data)
    return Intent(
        told["number"], told["run_id"], told["host"], told["purpose"], tuple(_change(one) for one in told["changes"])
    )


def _change(told: Mapping[str, Any]) -> Change:
    laid = told["layout"]
    return Change(
        told["table"],
        Layout(laid["schema"], tuple(laid["partition_by"]), tuple(laid["sort"]), laid["owner"], tuple(laid["key"])),
        tuple(Part(**part) for part in told["adds"]),
        tuple(Part(**part) for part in told["removes"]),
        told["data_change"],
    )


def last(store: Store) -> Intent | None:
    """The newest intent of an output; None where nothing was ever committed."""
    number = max(_numbers(store), default=0)
    return decode(store.read(_path(number))) if number else None


def put(store: Store, intent: Intent) -> None:
    """Make `intent` the output's newest. Raises `OutputBusy`, naming who has taken its number."""
    # Old intents are never deleted: a driver that slept for a day must find its number taken.
    data = encode(intent)
    if store.put_if_absent(_path(intent.number), data):
        return
    taken = store.read(_path(intent.number))
    if taken == data:  # our own put: its answer was lost and storage was asked again
        return
    other = decode(taken)
    raise OutputBusy(
        f"{store.uri}: run {other.run_id} on {other.host} commits to this output too; this run stops, and what it "
        "had committed stays"
    )


def earlier(store: Store, number: int) -> list[int]:
    """Numbers of the intents before this one."""
    return sorted(found for found in _numbers(store) if found < number)


def empty(store: Store, number: int) -> None:
    """Forget what an earlier intent changed; that its number is taken, and by whom, stays."""
    intent = decode(store.read(_path(number)))
    if intent.changes:
        store.write(_path(number), encode(replace(intent, changes=())))


def _numbers(store: Store) -> Iterator[int]:
    for entry in store.list(FOLDER):
        found = _NAME.fullmatch(entry.path)
        if found is None:
            raise InfrastructureError(f"{store.uri}/{entry.path}: no intent of nightmill; remove it")
        yield int(found[1])


def _path(number: int) -> str:
    return f"{FOLDER}/{number}.json"
