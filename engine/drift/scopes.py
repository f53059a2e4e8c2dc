"""Whose nights are compared: everybody's, and those of each group with the same people's nights before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from engine.drift.days import WEEK, Days, Period
from engine.drift.nights import Nights
from kernels.arrays import Flags, Ints


@dataclass(frozen=True, slots=True)
class Sample:
    """Places of nights in a window of `window_d` days, the newest (back = 0) or the one before (1), and of those that
    they are held against."""

    window_d: int
    back: int
    reference: Ints
    now: Ints

    @property
    def least(self) -> int:
        return min(len(self.reference), len(self.now))


@dataclass(frozen=True, slots=True)
class Scope:
    """Everybody (`by` and `group` None), or the nights of one group. good: of band A or B; every: of any band. series:
    places of all good nights, in the reference and since."""

    by: str | None
    group: str | None
    good: tuple[Sample, ...]
    every: tuple[Sample, ...]
    series: Ints


def scopes(nights: Nights, days: Days, day: Ints, groups: tuple[str, ...]) -> Iterator[Scope]:
    """Everybody first. day: (n,) of each night, from 0 = the first of the reference."""
    good, since = nights.are_good, _within(day, days, days.tested)
    yield _scope(None, None, members(nights, days, day, None, None), good, day, days)
    for by in groups:
        for group in nights.rows[by].filter(since).drop_nulls().unique().sort():
            yield _scope(by, group, members(nights, days, day, by, group), good, day, days)


def members(nights: Nights, days: Days, day: Ints, by: str | None, group: str | None) -> Flags:
    """(n,) bool: the nights of a group, or all (None).

    A group is compared with earlier nights of *the same people*, of whichever group they were then: so what a new
    firmware does is not mixed up with who received it.
    """
    if by is None:
        return np.ones(len(nights), np.bool_)
    of_group: Flags = (nights.rows[by] == group).fill_null(False).to_numpy()
    person = nights.rows["subject_id"]
    people = person.filter(of_group & _within(day, days, days.tested)).unique()
    before = _within(day, days, days.reference)
    return np.where(before, person.is_in(people.implode()).fill_null(False).to_numpy(), of_group)


def _scope(by: str | None, group: str | None, mine: Flags, good: Flags, day: Ints, days: Days) -> Scope:
    wanted = list(product(days.windows, (0, 1)))
    return Scope(
        by,
        group,
        tuple(sample(mine & good, day, days, *one) for one in wanted),
        tuple(sample(mine, day, days, *one) for one in wanted),
        np.flatnonzero(mine & good),
    )


def sample(mine: Flags, day: Ints, days: Days, length: int, back: int) -> Sample:
    """Windows under a week are held against the same days of the week: people sleep longer on some of them."""
    window = days.window(length, back)
    first = (window.first - days.reference.first).days
    same_weekdays = (day - first) % WEEK < length
    reference = mine & same_weekdays & _within(day, days, days.reference)
    return Sample(length, back, np.flatnonzero(reference), np.flatnonzero(mine & _within(day, days, window)))


def _within(day: Ints, days: Days, period: Period) -> Flags:
    start = days.reference.first
    found: Flags = (day >= (period.first - start).days) & (day <= (period.last - start).days)
    return found
