from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from engine.batches import aim_s, cut
from engine.work import Work


@dataclass(frozen=True)
class Timed:
    predicted_s: float


def timed(*seconds: float) -> list[Work]:
    return [cast(Work, Timed(value)) for value in seconds]


def test_batches_are_an_eighth_of_a_workers_share() -> None:
    batches = list(cut(timed(*[0.25] * 160), aim_s(workers=2, total_s=40.0)))
    assert [len(batch.works) for batch in batches] == [10] * 16
    assert [batch.number for batch in batches] == list(range(16))
    assert batches[0].predicted_s == 2.5


def test_a_long_work_stands_alone_and_little_ones_are_at_most_64() -> None:
    assert [len(batch.works) for batch in cut(timed(0.1, 99.0, 0.1), 10.0)] == [1, 1, 1]
    assert [len(batch.works) for batch in cut(timed(*[0.0] * 130), 0.5)] == [64, 64, 2]
    assert [len(batch.works) for batch in cut(timed(*[99.0] * 5), math.inf, 2)] == [2, 2, 1]


def test_nothing_to_do() -> None:
    assert list(cut([], 0.5)) == []


@given(st.lists(st.floats(0, 30), max_size=200), st.floats(0, 100), st.integers(1, 64))
def test_every_work_once_and_in_order(seconds: list[float], longest_s: float, most: int) -> None:
    works = timed(*seconds)
    batches = list(cut(works, longest_s, most))
    assert [work for batch in batches for work in batch.works] == works
    for batch in batches:
        assert 1 <= len(batch.works) <= most
        assert len(batch.works) == 1 or batch.predicted_s <= longest_s + 1e-9


def test_it_is_lazy() -> None:
    taken: list[int] = []

    def endless() -> Iterator[Any]:
        while True:
            taken.append(1)
            yield Timed(1.0)

    batches = cut(endless(), 10.0)
    assert len(next(batches).works) == 10
    assert len(taken) == 11
