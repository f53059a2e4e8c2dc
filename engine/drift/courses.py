"""What alarmed, to be looked at: its values before and now, its days, and what its test says at the end of each day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import polars as pl

from engine.drift.days import Days
from engine.drift.find import BAND, CODE, MISSING, VALUE, band_flags, code_flags
from engine.drift.judge import SUBJECT
from engine.drift.measures import LEAST, of_shares, of_values
from engine.drift.nights import GOOD_BANDS, Nights
from engine.drift.scopes import members, sample
from engine.drift.sequence import LEAST_NIGHTS, daily_medians
from kernels.arrays import Flags, Floats, Ints

DRAWN = (VALUE, MISSING, CODE, BAND)
"""Kinds of findings that have a course of their own."""


@dataclass(frozen=True)
class Course:
    """Of one thing that alarmed, in one group or all (`by`, `group` None).

    reference, now: values of both samples of the newest window of `window_d` days, none missing; of shares empty.
    daily, everybody: (days,) of each day from the reference's first to the newest, the median or share over the group's
    nights, and over all; NaN where there are few. test: the one that alarmed, None where only a detector did that goes
    day by day. statistic: (days,) of `test`, over the window that ends on the day; NaN where that is not all tested.
    changed_at: the day that a detector told.
    """

    by: str | None
    group: str | None
    kind: str
    what: str
    window_d: int
    reference: Floats
    now: Floats
    daily: Floats
    everybody: Floats
    test: str | None
    statistic: Floats
    changed_at: date | None


def courses(nights: Nights, days: Days, findings: pl.DataFrame, most: int) -> Iterator[Course]:
    """Of the first `most` things that alarm, in the order of findings. nights: those that were compared."""
    alarms = findings.filter("alarm", pl.col("kind").is_in(DRAWN))
    day = (nights.rows["night_date"] - days.reference.first).dt.total_days().to_numpy()
    for one in alarms.partition_by(SUBJECT, maintain_order=True)[:most]:
        yield _course(nights, days, day, one)


def _course(nights: Nights, days: Days, day: Ints, alarms: pl.DataFrame) -> Course:
    by, group, kind, what = alarms.select(SUBJECT).row(0)
    x, judged = _values(nights, kind, what)
    mine = members(nights, days, day, by, group) & judged
    by_window = alarms.drop_nulls("window_d")
    test, window_d = by_window.select("test", "window_d").row(0) if by_window.height else (None, max(days.windows))
    held = sample(mine, day, days, window_d, 0)
    both = (x[held.reference], x[held.now]) if kind == VALUE else (x[:0], x[:0])
    reference, now = (one[~np.isnan(one)] for one in both)
    daily, everybody = (_daily(x[which], day[which], days, kind == VALUE) for which in (mine, judged))
    statistic = _by_day(x, mine, day, days, window_d, test, kind == VALUE)
    changed = alarms["changed_at"].min()
    changed_at = changed if isinstance(changed, date) else None
    return Course(
        by, group, kind, what, window_d, reference, now, daily, everybody, test, statistic, changed_at
    )  # fmt: skip


def _values(nights: Nights, kind: str, what: str) -> tuple[Floats, Flags]:
    """(n,) value, or whether it is so as 0 and 1; and which nights are compared in it."""
    if kind in (VALUE, MISSING):
        ((_, x),) = replace(nights, features=(what,)).values()
        return (x if kind == VALUE else np.isnan(x).astype(np.float64)), nights.are_good
    if kind == CODE:
        is_so = code_flags(nights.rows)[what]
    else:
        bands = band_flags(nights.rows)
        is_so = np.any([bands[band] for band in GOOD_BANDS], axis=0)
    return is_so.astype(np.float64), np.ones(len(nights), np.bool_)


def _daily(x: Floats, day: Ints, days: Days, are_values: bool) -> Floats:
    n = (days.newest - days.reference.first).days + 1
    if are_values:
        return daily_medians(x, day, n)
    count, total = np.bincount(day, minlength=n), np.bincount(day, x, minlength=n)
    return np.where(count >= LEAST_NIGHTS, total / np.maximum(count, 1), np.nan)


def _by_day(x: Floats, mine: Flags, day: Ints, days: Days, window_d: int, test: str | None, are_values: bool) -> Floats:
    """The test's statistic of each window that lies among the tested days, at its last day."""
    found = np.full((days.newest - days.reference.first).days + 1, np.nan)
    last = days.newest
    while test is not None and last - timedelta(window_d - 1) >= days.tested.first:
        held = sample(mine, day, replace(days, newest=last), window_d, 0)
        if held.least >= LEAST:
            was, now = x[held.reference], x[held.now]
            told = of_values(was, now) if are_values else (of_shares(was > 0, now > 0),)
            place = (last - days.reference.first).days
            found[place] = next((one.statistic for one in told if one.test == test), np.nan)
        last -= timedelta(1)
    return found
