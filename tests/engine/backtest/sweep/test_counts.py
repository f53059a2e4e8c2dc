"""The counts of BACKTEST 2: its worked example, and brute force on random grids."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.backtest.sweep.counts import Counts, Origins, cutoffs_of, cutoffs_of_all, distinct, over, separate

HOURLY = over(336, 0, 1)
R = (1, 2, 6, 24)
W = (72, 168, 336)


def brute(origins: Origins, refits: tuple[int, ...], phase: int) -> tuple[list[set[int]], set[tuple[int, int]]]:
    """Cutoffs of each refit, and the pairs (cutoff, origin), by walking back hour by hour."""
    cutoffs, pairs = [set[int]() for _ in refits], set[tuple[int, int]]()
    for i in range(origins.n):
        origin = origins.first + i * origins.every_h
        for found, refit in zip(cutoffs, refits, strict=True):
            cutoff = origin
            while (cutoff - phase) % refit:
                cutoff -= 1
            found.add(cutoff)
            pairs.add((cutoff, origin))
    return cutoffs, pairs


@pytest.mark.parametrize(
    ("windows", "refits", "apart", "once"),
    [((168,), R, 574, 336), (W, R, 1722, 1008), ((168,), (2, 6, 24), 238, 168), ((168,), (2, 3, 4, 6), 420, 224)],
)
def test_fits_of_the_worked_example(windows: tuple[int, ...], refits: tuple[int, ...], apart: int, once: int) -> None:
    assert separate([HOURLY], windows, refits).fits == apart
    assert distinct([HOURLY], len(windows), refits).fits == once


def test_cadences_and_horizons_share_everything() -> None:
    origins = [over(336, 0, every) for every in (1, 6, 24)]
    assert separate(origins, (168,), R, horizons=3).fits == 2436
    assert distinct(origins, 1, R).fits == 336


def test_forecasts_and_steps_of_the_worked_example() -> None:
    assert separate([HOURLY], W, R).forecasts == 4032
    assert distinct([HOURLY], 3, R).forecasts == 2940
    assert separate([HOURLY], (336,), R).steps == 338_688
    assert distinct([HOURLY], 1, R).steps == 644


@given(
    first=st.integers(-500, 500),
    n=st.integers(0, 120),
    every=st.integers(1, 30),
    refits=st.lists(st.integers(1, 40), min_size=1, max_size=4, unique=True),
    phase=st.integers(-30, 30),
)
def test_counts_equal_brute_force(first: int, n: int, every: int, refits: list[int], phase: int) -> None:
    origins = Origins(first, n, every)
    cutoffs, pairs = brute(origins, tuple(refits), phase)
    assert [cutoffs_of(origins, refit, phase) for refit in refits] == [len(found) for found in cutoffs]
    distinct_cutoffs = set[int]().union(*cutoffs)
    assert cutoffs_of_all(origins, refits, phase) == len(distinct_cutoffs)
    steps = sum(max(o for c, o in pairs if c == cutoff) - cutoff for cutoff in distinct_cutoffs)
    assert distinct([origins], 2, refits, phase) == Counts(2 * len(distinct_cutoffs), 2 * len(pairs), 2 * steps)


@given(hours=st.integers(1, 400), every=st.integers(1, 24), refit=st.integers(1, 24))
def test_formula_where_the_stretch_begins_on_phase(hours: int, every: int, refit: int) -> None:
    if every % refit and refit % every:
        return
    n = -(-hours // every)
    assert cutoffs_of(over(hours, 0, every), refit) == -(-n // max(1, refit // every))


def test_no_origins() -> None:
    assert distinct([Origins(5, 0)], 3, R) == Counts(0, 0, 0)
    assert separate([Origins(5, 0)], W, R) == Counts(0, 0, 0)
