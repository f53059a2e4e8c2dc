from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from engine.batches import MOST_WORKS, aim_s, cut
from engine.work import Work


@dataclass(frozen=True)
class Timed:
    predicted_s: float


def timed(*seconds: float) -> list[Work]:
    return [cast(Work, Timed(value)) for value in seconds]


def test_batches_are_an_eighth_of_a_workers_share() -> None:
    batches = list(cut(timed(*[0.25] * 160), workers=2, total_s=40.0))
    assert [len(batch.works) for batch in batches] == [10] * 16
    assert [batch.number for batch in batches] == list(range(16))
    assert batches[0].predicted_s == 2.5


def test_a_long_work_stands_alone_and_little_ones_are_at_most_64() -> None:
    assert [len(batch.works) for batch in cut(timed(0.1, 99.0, 0.1), 1, 100.0)] == [1, 1, 1]
    assert [len(batch.works) for batch in cut(timed(*[0.0] * 130), 1, 0.0)] == [64, 64, 2]


def test_nothing_to_do() -> None:
    assert list(cut([], 4, 0.0)) == []


@given(st.lists(st.floats(0, 30), max_size=200), st.integers(1, 100), st.floats(0, 1e5))
def test_every_work_once_and_in_order(seconds: list[float], workers: int, total_s: float) -> None:
    works = timed(*seconds)
    batches = list(cut(works, workers, total_s))
    assert [work for batch in batches for work in batch.works] == works
    for batch in batches:
        assert 1 <= len(batch.works) <= MOST_WORKS
        assert len(batch.works) == 1 or batch.predicted_s <= aim_s(workers, total_s) + 1e-9


def test_it_is_lazy() -> None:
    taken: list[int] = []

    def endless() -> Iterator[Any]:
        while True:
            taken.append(1)
            yield Timed(1.0)

    batches = cut(endless(), 1, 1e6)
    assert len(next(batches).works) == 10
    assert len(taken) == 11
