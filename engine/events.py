"""What happens during a run, as values. The engine emits them to a listener; `jobs/` draws them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InventoryTaken:
    files: int
    bytes: int
    sources: int
    ignored: int


@dataclass(frozen=True, slots=True)
class IntentReplayed:
    """A commit that an earlier driver had begun was completed."""

    number: int
    run_id: str


@dataclass(frozen=True, slots=True)
class PlanMade:
    works: int
    files: int
    bytes: int
    done_files: int


@dataclass(frozen=True, slots=True)
class WorkersReady:
    workers: int
    seconds: float


@dataclass(frozen=True, slots=True)
class BatchFinished:
    """One task came back. `statuses` counts its files by status, `causes` the failed and quarantined by cause."""

    files: int
    bytes: int
    seconds: float
    statuses: Mapping[str, int]
    causes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class BatchRetried:
    """Infrastructure failed under a batch; it is run again."""

    works: int
    attempt: int
    why: str


@dataclass(frozen=True, slots=True)
class Committed:
    number: int
    files: int
    parts: int
    bytes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Compacted:
    table: str
    parts_before: int
    parts_after: int


@dataclass(frozen=True, slots=True)
class RunFinished:
    run_id: str
    state: str
    seconds: float
    statuses: Mapping[str, int]
    rows: Mapping[str, int]


Event = (
    InventoryTaken
    | IntentReplayed
    | PlanMade
    | WorkersReady
    | BatchFinished
    | BatchRetried
    | Committed
    | Compacted
    | RunFinished
)
Listener = Callable[[Event], None]


def ignore(event: Event) -> None:
    """The listener of a caller that does not care."""
