from __future__ import annotations

import pytest

from engine.night.grid import EPOCH_US, Grid, cover


@pytest.mark.parametrize(
    ("start", "end", "first", "n"),
    [
        (0, 10_000_000, 0, 1),
        (1, 10_000_000, 0, 1),
        (0, 10_000_001, 0, 2),
        (9_999_999, 10_000_001, 0, 2),
        (10_000_000, 10_000_000, 10_000_000, 0),
        (25_000_000, 5_000_000, 20_000_000, 0),
        (-1, 1, -10_000_000, 2),
    ],
)
def test_cover_is_the_smallest_aligned_grid(start: int, end: int, first: int, n: int) -> None:
    assert cover(start, end) == Grid(first, n)


@pytest.mark.parametrize(
    ("start_s", "end_s", "n"),
    [(1774695600, 1774778400, 8280), (1792836000, 1792926000, 9000)],
    ids=["spring, 23 h", "autumn, 25 h"],
)
def test_nights_of_the_known_answer_b1(start_s: int, end_s: int, n: int) -> None:
    assert cover(start_s * 1_000_000, end_s * 1_000_000).n == n


def test_sample_at_the_end_belongs_to_the_next_epoch() -> None:
    grid = cover(0, 3 * EPOCH_US)
    assert grid.index([-1, 0, EPOCH_US - 1, EPOCH_US, 3 * EPOCH_US]).tolist() == [-1, 0, 0, 1, 3]
    assert grid.index(grid.ts_us).tolist() == [0, 1, 2]


@pytest.mark.parametrize(("start", "n"), [(5, 1), (0, -1)])
def test_a_grid_refuses_nonsense(start: int, n: int) -> None:
    with pytest.raises(ValueError, match=r"multiple|negative"):
        Grid(start, n)
