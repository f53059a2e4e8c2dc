"""Day by day: the median of a feature over the nights of each day, and detectors of a lasting change in it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from engine.drift.measures import ADWIN, PAGE_HINKLEY
from kernels.adwin import adwin
from kernels.arrays import Floats, Ints
from kernels.page_hinkley import page_hinkley

LEAST_NIGHTS, LEAST_DAYS = 5, 30
"""Of a day that has a median, and of a series in which a change is looked for."""
MAD_TO_SD = 1.4826


def daily_medians(x: Floats, day: Ints, days: int) -> Floats:
    """(days,) median of x on each day, NaN where it has fewer than `LEAST_NIGHTS` values.

    x: (n,) float64, NaN = missing; day: (n,) int64, from 0.
    """
    known = ~np.isnan(x)
    x, day = x[known], day[known]
    order = np.argsort(day, kind="stable")
    pieces = np.split(x[order], np.searchsorted(day[order], np.arange(1, days)))
    return np.array([np.median(one) if len(one) >= LEAST_NIGHTS else np.nan for one in pieces])


def changes(medians: Floats, reference_days: int, since: int) -> Iterator[tuple[str, int | None]]:
    """Each detector, and the place of its first alarm from `since` on; nothing of few medians, or that never varied.

    The series is told in robust standard deviations of its first `reference_days`, since both detectors take absolute
    limits. ADWIN looks every day: to look less often saves time in long streams, and finds nothing else.
    """
    known = np.flatnonzero(~np.isnan(medians))
    before = medians[known[known < reference_days]]
    if len(known) < LEAST_DAYS or not len(before):
        return
    spread = MAD_TO_SD * np.median(np.abs(before - np.median(before)))
    if not spread > 0:
        return
    x = (medians[known] - np.median(before)) / spread
    yield PAGE_HINKLEY, _first(known, page_hinkley(x, 0.005, 50.0, LEAST_DAYS, 0.9999), since)
    yield ADWIN, _first(known, adwin(x, 0.002, 1)[0], since)


def _first(places: Ints, alarms: Ints, since: int) -> int | None:
    at = places[alarms != 0]
    return next((int(place) for place in at if place >= since), None)
