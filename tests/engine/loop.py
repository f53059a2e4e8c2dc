"""An executor of three lines, over which a test looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from engine.batches import Batch
from engine.guard import InlineGuard
from engine.running.receipt import Receipt
from engine.task import TaskSpec, run_batch


class Loop:
    """Does batch after batch in this process; `before` is called with the number of each."""

    workers = 1

    def __init__(self, before: Callable[[int], None] = lambda number: None) -> None:
        self._before = before
        self.done: list[str] = []

    def run(self, spec: TaskSpec, batches: Iterator[Batch]) -> Iterator[tuple[Batch, Receipt]]:
        guard = InlineGuard(spec.mapped)
        for batch in batches:
            self._before(batch.number)
            self.done += [work.key for work in batch.works]
            yield batch, run_batch(spec, batch, guard)
