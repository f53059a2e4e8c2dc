"""Plausible readings of one series to hourly values (DOMAIN H3, H4)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.backtest.contract import Floats, Ints
from engine.vitals.plausibility import LIMITS, stuck, within_rate

HOUR_US = 3_600_000_000
NEVER_STUCK = "spo2_pct"
"""A healthy saturation stays the same for a day."""


@dataclass(frozen=True, slots=True)
class Hourly:
    """start: number of the first hour. values: (n,) float64, NaN = no reading, up to the last reading's hour.
    rate, stuck: readings and hours dropped."""

    start: int
    values: Floats
    rate: int
    stuck: int


def to_hours(vital: str, ts_us: Ints, value: Floats, weight: Ints) -> Hourly:
    """All (n,), ordered by ts_us, finite and in range; see `Readings` for weight. A vital without limits is taken as
    it is. No hour depends on a later one."""
    rate = 0
    summaries = bool(weight.any())  # whose rate was judged reading by reading, and two sources may differ at an instant
    if vital in LIMITS and not summaries:
        keep = _within_rate(vital, ts_us, value) if _jumps(vital, ts_us, value) else np.ones(len(value), np.bool_)
        rate = int(len(keep) - keep.sum())
        ts_us, value, weight = ts_us[keep], value[keep], weight[keep]
    if not len(ts_us):
        return Hourly(0, np.empty(0), rate, 0)
    hours = ts_us // HOUR_US
    values = np.full(int(hours[-1] - hours[0]) + 1, np.nan)
    values[hours - hours[0]] = value  # right where an hour has one reading
    first = np.concatenate([[True], np.diff(hours) > 0])
    if not first.all():
        starts = np.flatnonzero(first)
        several = np.diff(np.append(starts, len(hours))) > 1
        merged = _weighted(value, weight, starts) if summaries else _medians(hours, value, starts)
        values[hours[starts[several]] - hours[0]] = merged[several]
    marks = stuck(values) if vital in LIMITS and vital != NEVER_STUCK else np.zeros(len(values), np.bool_)
    values[marks] = np.nan
    return Hourly(int(hours[0]), values, rate, int(marks.sum()))


def _jumps(vital: str, ts_us: Ints, value: Floats) -> bool:
    """Whether two successive readings differ by more than the vital can change; else all are within its rate."""
    per_us = LIMITS[vital].per_minute / 60e6
    return bool(np.isfinite(per_us) and (np.abs(np.diff(value)) > per_us * np.diff(ts_us)).any())


def _within_rate(vital: str, ts_us: Ints, value: Floats) -> NDArray[np.bool_]:
    """As `within_rate`, but readings of one instant stay or go together, by their median."""
    first = np.concatenate([[True], np.diff(ts_us) > 0])
    starts = np.flatnonzero(first)
    kept: NDArray[np.bool_] = within_rate(vital, ts_us[starts], _medians(ts_us, value, starts))[np.cumsum(first) - 1]
    return kept


def _medians(group: Ints, value: Floats, starts: Ints) -> Floats:
    ordered = value[np.lexsort((value, group))]
    n = np.diff(np.append(starts, len(group)))
    result: Floats = (ordered[starts + (n - 1) // 2] + ordered[starts + n // 2]) / 2
    return result


def _weighted(value: Floats, weight: Ints, starts: Ints) -> Floats:
    result: Floats = np.add.reduceat(value * weight, starts) / np.add.reduceat(weight, starts)
    return result
