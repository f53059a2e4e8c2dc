"""What is drawn of an alarm is what was compared."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from engine.drift.courses import Course, courses
from engine.drift.days import Days, choose
from engine.drift.find import find
from tests.engine.drift.population import DAYS, FIRST, nights_of, people, since

WARM = people(1, users=40).with_columns(
    wst_median=pl.col("wst_median") + 0.6 * ((pl.col("firmware") == "2.0") & since(14)).cast(pl.Float64),
    reasons=pl.when(since(14) & (pl.col("firmware") == "1.9")).then(pl.lit(["GAP"])).otherwise("reasons"),
)


def drawn(most: int = 99) -> tuple[Days, pl.DataFrame, list[Course]]:
    days = choose(FIRST + timedelta(DAYS - 1), (7,))
    nights = nights_of(WARM, days)
    found = find(nights, days, ("firmware",)).findings
    return days, found, list(courses(nights, days, found, most))


def test_the_course_of_a_feature() -> None:
    days, found, every = drawn()
    one = next(one for one in every if (one.group, one.what) == ("2.0", "wst_median"))
    row = found.filter(group="2.0", what="wst_median", test="ks", window_d=7).row(0, named=True)
    assert (one.test, one.window_d) == ("ks", 7)
    assert (np.median(one.reference), np.median(one.now)) == (row["reference"], row["now"])
    n = (days.newest - days.reference.first).days + 1
    assert len(one.daily) == len(one.everybody) == len(one.statistic) == n
    assert one.statistic[-1] == row["statistic"] and np.flatnonzero(~np.isnan(one.statistic))[0] == n - 8
    frame = WARM.filter(pl.col("band").is_in(["A", "B"]), night_date=days.newest)
    assert one.everybody[-1] == pytest.approx(frame["wst_median"].median())
    assert one.daily[-1] == pytest.approx(frame.filter(firmware="2.0")["wst_median"].median())
    told = found.filter(pl.col("alarm"), pl.col("changed_at").is_not_null(), group="2.0", what="wst_median")
    assert one.changed_at == told["changed_at"].min() and isinstance(one.changed_at, date)


def test_the_course_of_a_share_has_no_distribution() -> None:
    _, found, every = drawn()
    one = next(one for one in every if (one.group, one.kind, one.what) == ("1.9", "code", "GAP"))
    row = found.filter(group="1.9", kind="code", what="GAP").row(0, named=True)
    assert len(one.reference) == len(one.now) == 0
    assert (one.daily[-14:] == 1).all() and one.daily[:28].mean() == pytest.approx(row["reference"], abs=1e-9)
    assert one.statistic[-1] == row["statistic"] and one.test == "share"


def test_the_first_of_them_and_none_without_an_alarm() -> None:
    _, found, every = drawn()
    assert [(one.by, one.what) for one in drawn(2)[2]] == [(one.by, one.what) for one in every[:2]]
    days = choose(FIRST + timedelta(DAYS - 1), (7,))
    calm = nights_of(WARM, days)
    assert list(courses(calm, days, found.with_columns(alarm=pl.lit(False)), 9)) == []
