"""The figures of a page on drift: distributions, days and tests of what alarmed, weeks of a backtest."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl

from engine.drift.courses import Course
from engine.drift.days import Days
from engine.drift.find import VALUE
from engine.drift.measures import LIMITS
from jobs.backtest_plots import label
from jobs.page import figure, grid
from jobs.svg import COLOURS, Axis, Chart

LEAST_BINS, MOST_BINS = 8, 24
OUTER_PCT = 0.5
"""Share of a sample that may lie beyond either end of a distribution's axis."""
MOST_TICKS = 6
BEFORE, NOW = 7, 1
"""Colours."""
WIDTH, HEIGHT = 420, 270


def figures(course: Course, days: Days, title: str, unit: str) -> str:
    """A row of figures: distributions (of values), days, and the test's course (of tests over windows)."""
    drawn = [_distributions(course, unit)] if len(course.reference) and len(course.now) else []
    drawn.append(_daily(course, days, unit if course.kind == VALUE else "share of nights"))
    if course.test is not None:
        drawn.append(_statistic(course, days, course.test))
    return f"<h3>{title}</h3>{grid(drawn, 'row small')}"


def _distributions(course: Course, unit: str) -> str:
    samples = (("before", course.reference, BEFORE), ("now", course.now, NOW))
    ends = np.array([np.percentile(one, [OUTER_PCT, 100 - OUTER_PCT]) for _, one, _ in samples])
    low, high = ends[:, 0].min(), ends[:, 1].max()
    bins = int(np.clip(math.isqrt(min(len(one) for _, one, _ in samples)), LEAST_BINS, MOST_BINS))
    edges = np.linspace(low, high if high > low else low + 1, bins + 1)
    middle = ((edges[1:] + edges[:-1]) / 2).tolist()
    chart = Chart(Axis(unit), Axis("% of nights"), WIDTH, HEIGHT)
    for name, sample, colour in samples:
        share = 100 * np.histogram(sample, edges)[0] / len(sample)
        chart.band(middle, [0.0] * bins, share.tolist(), colour)
        chart.line(middle, share.tolist(), colour, name)
    note = (
        f"{len(course.reference):,} nights of the reference, {len(course.now):,} of the newest {course.window_d} days."
    )
    return figure("Before and now", note, chart.svg("distribution before and now"))


def _daily(course: Course, days: Days, label: str) -> str:
    chart = Chart(_dates(days), Axis(label), WIDTH, HEIGHT)
    known = np.concatenate([course.daily, course.everybody])
    known = known[~np.isnan(known)]
    tested = _place(days.tested.first, days), _place(days.newest, days)
    if len(known):
        chart.band(tested, [float(known.min())] * 2, [float(known.max())] * 2, COLOURS)
    x = list(range(len(course.daily)))
    if course.by is not None:
        chart.line(x, course.everybody.tolist(), COLOURS, "all")
    chart.line(x, course.daily.tolist(), NOW, course.group or "")
    before = course.daily[: _place(days.reference.last, days) + 1]
    if not np.isnan(before).all():
        chart.rule(float(np.nanmedian(before)))
    note = "Of each day; dashed: the reference's median; shaded: tested days."
    if course.changed_at is not None:
        at = _place(course.changed_at, days)
        chart.mark(at, float(course.daily[at]), NOW, "!", "a detector told the change")
        note += f" !: a detector told a lasting change on {course.changed_at}."
    return figure("Day by day", note, chart.svg("day by day"))


def _statistic(course: Course, days: Days, test: str) -> str:
    watch, act = LIMITS[test]
    told = course.statistic[~np.isnan(course.statistic)]
    chart = Chart(_dates(days, days.tested.first), Axis(test), WIDTH, HEIGHT)
    chart.limits(0.0, 1.1 * max([act, *told.tolist()]))
    chart.rule(watch)
    chart.rule(act)
    first = _place(days.tested.first, days)
    chart.line(list(range(first, len(course.statistic))), course.statistic[first:].tolist(), NOW, "")
    note = f"Of the {course.window_d} days that end on each day. Dashed: watch from {watch:g}, act from {act:g} on."
    return figure(f"The test: {test}", note, chart.svg(f"{test} of the days before each day"))


def weeks(row: Mapping[str, Any], weekly: pl.DataFrame) -> str:
    """MASE by week of one configuration. weekly: `week`, `mase` of it."""
    ordered = weekly.sort("week", descending=True)
    back, mase = [-week for week in ordered["week"]], ordered["mase"].to_list()
    chart = Chart(Axis("weeks before the newest"), Axis("MASE"), WIDTH, HEIGHT)
    chart.line(back, mase, BEFORE)
    chart.points(back[-2:], mase[-2:], NOW, "tested")
    if row["limit"] is not None:
        chart.rule(row["limit"])
    name = f"{label(row)} · {row['vital']}"
    told = "no limit: too few weeks." if row["limit"] is None else f"dashed: limit {row['limit']:.3g}."
    return figure(name, f"The newest two weeks are coloured; {told}", chart.svg(f"MASE of {name} by week"))


def _place(day: Any, days: Days) -> int:
    return int((day - days.reference.first).days)


def _dates(days: Days, first: Any = None) -> Axis:
    """Days from the reference's first on, told as month and day."""
    start = _place(first, days) if first else 0
    end = _place(days.newest, days)
    step = max(1, -(-(end - start) // MOST_TICKS))
    ticks = list(range(end, start - 1, -step))[::-1]
    names = [f"{days.reference.first + timedelta(tick):%m-%d}" for tick in ticks]
    return Axis("", ticks=ticks, names=names)
