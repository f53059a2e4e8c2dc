from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl

from engine.drift.days import choose
from engine.drift.scopes import Scope, scopes
from tests.engine.drift.population import DAYS, FIRST, nights_of, people

NEWEST = FIRST + timedelta(DAYS - 1)


def scopes_of(frame: pl.DataFrame, *groups: str) -> tuple[pl.DataFrame, dict[str | None, Scope]]:
    days = choose(NEWEST, (1, 7))
    nights = nights_of(frame, days)
    day = (nights.rows["night_date"] - days.reference.first).dt.total_days().to_numpy()
    return nights.rows, {one.group: one for one in scopes(nights, days, day, groups)}


def test_windows_and_their_references() -> None:
    rows, found = scopes_of(people(0, users=3))
    (everybody,) = found.values()
    for sample in everybody.every:
        now, before = rows[sample.now]["night_date"], rows[sample.reference]["night_date"]
        assert now.n_unique() == sample.window_d and sample.least == 3 * sample.window_d
        assert now.max() == NEWEST - timedelta(sample.back * sample.window_d)
        assert before.n_unique() == (28 if sample.window_d == 7 else 4)
        assert set(before.dt.weekday()) == set(now.dt.weekday()), "the same days of the week"
        assert before.max() <= NEWEST - timedelta(14)
    for good, every in zip(everybody.good, everybody.every, strict=True):
        assert set(rows[good.now]["band"]) <= {"A", "B"} and set(good.now) <= set(every.now)


def test_a_group_is_compared_with_the_same_peoples_nights_before() -> None:
    got_it = (pl.col("subject_id") == "P001") & (pl.col("night_date") > NEWEST - timedelta(7))
    frame = people(0, users=4).with_columns(firmware=pl.when(got_it).then(pl.lit("3.0")).otherwise("firmware"))
    rows, found = scopes_of(frame.with_columns(cohort=pl.lit(None, pl.String)), "firmware", "cohort")
    assert list(found) == [None, "1.9", "2.0", "3.0"]
    week = next(one for one in found["3.0"].every if one.window_d == 7 and one.back == 0)
    assert set(rows[week.now]["firmware"]) == {"3.0"} and len(week.now) == 7
    assert set(rows[week.reference]["firmware"]) == {"2.0"} and len(week.reference) == 28
    assert set(rows[week.reference]["subject_id"]) == {"P001"}
    week_before = next(one for one in found["3.0"].every if one.window_d == 7 and one.back == 1)
    assert len(week_before.now) == 0
    assert np.isin(week.now, found["2.0"].series).sum() == 0
