"""What is to do of the units of work of one step, and which earlier rows go with them; see `engine.run.Planned`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import polars as pl

from engine.work import Work


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of work before it is made. Units whose rows would collide have the same `group`."""

    key: str
    identity: str
    group: str
    predicted_s: float
    make: Callable[[], Work]


@dataclass(frozen=True)
class Todo:
    """Units in the order in which they are to be done, made one at a time. `done` is how many are up to date."""

    units: Sequence[Unit]
    done: int
    superseded: Mapping[str, Collection[str]] = field(default_factory=dict)
    """Keys of earlier works by group: those that run again, and those that are no unit any more."""

    @property
    def count(self) -> int:
        return len(self.units)

    @property
    def shared_removals(self) -> Collection[str]:
        return {key for keys in self.superseded.values() for key in keys}

    @property
    def predicted_s(self) -> float:
        return sum(unit.predicted_s for unit in self.units)

    def removals_with(self, keys: Collection[str]) -> Collection[str]:
        groups = {self._groups[key] for key in keys if key in self._groups} if self.superseded else set()
        return {key for group in groups for key in self.superseded.get(group, ())}

    @cached_property
    def _groups(self) -> dict[str, str]:
        return {unit.key: unit.group for unit in self.units}

    def works(self) -> Iterator[Work]:
        return (unit.make() for unit in self.units)


def sort_out(
    units: Iterable[Unit], ledger: pl.DataFrame, retry: Collection[str], group_of: Callable[[str], str]
) -> Todo:
    """Hold units against the ledger's rows of the same module. Final is what has the same identity and a status not to
    be retried. `group_of`: the group of an earlier work by its key; groups without a unit are left alone."""
    known = {key: (identity, status) for key, identity, status in ledger.select(
        "work_key", "input_identity", "status").iter_rows()}  # fmt: skip
    todo, current, groups, done = list[Unit](), set[str](), set[str](), 0
    for unit in units:
        current.add(unit.key)
        groups.add(unit.group)
        identity, status = known.get(unit.key, ("", ""))
        if identity == unit.identity and status not in retry:
            done += 1
        else:
            todo.append(unit)
    again = {unit.key for unit in todo}
    superseded: dict[str, set[str]] = defaultdict(set)
    for key in known:
        if group_of(key) in groups and (key in again or key not in current):
            superseded[group_of(key)].add(key)
    return Todo(todo, done, dict(superseded))
