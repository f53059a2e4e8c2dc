"""Every write boundary of a driver and of the worker in it, by name and in order: at each of them a test kills it.

Three scenarios: four new files in two commits, with compaction; one changed file, whose old rows go; a module that
brings a new column. A name says what is about to be written. `Store.write` and `put_if_absent` write a hidden file and
name it then (on a local disk), so those have a second point, inside.
"""

from __future__ import annotations

from dataclasses import dataclass

_HEAD = ("inventory", "part runs", "part dictionary", "intent start")
_ROWS = ("intent rows", "transaction sizes", "transaction files")
_COMPACTION = (
    *("part sizes", "intent compact", "transaction sizes"),
    *("part files", "intent compact", "transaction files"),
)
_TAIL = ("part runs", "intent end", "transaction runs")
_BATCH = ("part sizes", "part files", *_ROWS)
FIRST = (
    *_HEAD,
    *("create sizes", "create files", "create runs", "create dictionary"),
    *_BATCH,
    *_BATCH,
    *_COMPACTION,
    *_TAIL,
)
CHANGED = (
    *_HEAD,
    *("transaction runs", "transaction dictionary"),
    *("part sizes", "part files"),
    *("part sizes", "part files"),  # what stays of the parts that held old rows
    *_ROWS,
    *_COMPACTION,
    *_TAIL,
)
WIDENED = (
    *_HEAD,
    *("widen sizes", "transaction sizes", "transaction runs", "transaction dictionary"),
    *_BATCH,
    *_BATCH,
    *_COMPACTION,
    *_TAIL,
)
POINTS = {"first": FIRST, "changed": CHANGED, "widened": WIDENED}


@dataclass(frozen=True)
class Point:
    """Before the write `number` of a scenario, or (`inside`) before its hidden file gets its name."""

    scenario: str
    number: int
    inside: bool = False

    def __str__(self) -> str:
        name = POINTS[self.scenario][self.number].replace(" ", "-")
        return f"{self.scenario}-{self.number:02d}-{'in' if self.inside else 'before'}-{name}"


def points(local: bool) -> list[Point]:
    """All points; what a scenario repeats of another is left out."""
    start = len(_HEAD)
    new = {
        "first": range(len(FIRST)),
        "changed": range(start, CHANGED.index("intent compact")),
        "widened": range(start, WIDENED.index("transaction runs")),
    }
    found = [Point(scenario, number) for scenario, numbers in new.items() for number in numbers]
    hidden = [number for number, name in enumerate(FIRST) if name.startswith(("inventory", "part", "intent"))]
    return found + ([Point("first", number, inside=True) for number in hidden] if local else [])
