"""Cutting Works into batches: long enough that Dask's 2 ms a task vanish, short enough to spread and to lose little."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from engine.work import Work

BATCHES_A_WORKER = 8
SHORTEST_S, LONGEST_S = 0.5, 10.0
MOST_WORKS = 64


@dataclass(frozen=True, slots=True)
class Batch:
    """Works that one task does one after the other. `number` counts from 0 in the order of the plan."""

    number: int
    works: tuple[Work, ...]

    @property
    def predicted_s(self) -> float:
        return sum(work.predicted_s for work in self.works)


def aim_s(workers: int, total_s: float) -> float:
    """Predicted seconds of one batch: an eighth of a worker's share, within 0.5 to 10 s.

    >>> aim_s(workers=2, total_s=32.0), aim_s(2, 1.0), aim_s(2, 1e6)
    (2.0, 0.5, 10.0)
    """
    return min(max(total_s / (BATCHES_A_WORKER * workers), SHORTEST_S), LONGEST_S)


def cut(works: Iterable[Work], longest_s: float, most: int = MOST_WORKS) -> Iterator[Batch]:
    """Batches in the order of `works`, lazily: at most `most` Works and, unless a single Work is longer, `longest_s`
    predicted seconds each."""
    number, held, held_s = 0, list[Work](), 0.0
    for work in works:
        if held and (held_s + work.predicted_s > longest_s or len(held) == most):
            yield Batch(number, tuple(held))
            number, held, held_s = number + 1, [], 0.0
        held.append(work)
        held_s += work.predicted_s
    if held:
        yield Batch(number, tuple(held))
