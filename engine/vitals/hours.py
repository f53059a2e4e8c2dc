"""Readings to hours (DOMAIN H4): one row for each UTC hour with enough plausible readings, six if they are epochs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.vitals.plausibility import plausible, within_rate

HOUR_US = 3_600_000_000
LEAST_READINGS = 6
ASLEEP, UNKNOWN = 1, -1

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Hours:
    """(k,) each. ts_us: start of the hour, ascending. value: median. mean_gap_s: between successive readings.

    asleep_share: among readings whose state is known; NaN where none is. sd, mean_gap_s: NaN for one reading.
    """

    ts_us: NDArray[np.int64]
    value: Floats
    n: NDArray[np.int64]
    low: Floats
    high: Floats
    sd: Floats
    mean_gap_s: Floats
    asleep_share: Floats


def by_hour(
    vital: str, ts_us: NDArray[np.int64], values: Floats, asleep: NDArray[np.int8], least: int = LEAST_READINGS
) -> Hours:
    """Hours of one vital. ts_us: (n,) ascending; values: (n,), NaN = missing; asleep: (n,) 1, 0 or −1 = unknown.
    least: readings below which an hour has no row."""
    keep = plausible(vital, values)
    keep &= within_rate(vital, ts_us, np.where(keep, values, np.nan))
    ts_us, values, asleep = ts_us[keep], values[keep], asleep[keep]
    hours = ts_us // HOUR_US
    edges = np.append(np.flatnonzero(np.diff(hours, prepend=hours[:1] - 1)), len(hours))
    n = np.diff(edges)
    starts, n = edges[:-1][n >= least], n[n >= least]
    rows = [_row(values[a : a + k]) for a, k in zip(starts.tolist(), n.tolist(), strict=True)]
    value, low, high, sd = np.array(rows, np.float64).reshape(-1, 4).T
    gap_s = _share((ts_us[starts + n - 1] - ts_us[starts]) / 1e6, n - 1)
    slept, known = (np.append(0, np.cumsum(flag)) for flag in (asleep == ASLEEP, asleep != UNKNOWN))
    asleep_share = _share(slept[starts + n] - slept[starts], known[starts + n] - known[starts])
    return Hours(hours[starts] * HOUR_US, value, n, low, high, sd, gap_s, asleep_share)


def _row(values: Floats) -> tuple[float, float, float, float]:
    """Median, lowest, highest and standard deviation of the readings of an hour."""
    n, ordered, centred = len(values), np.sort(values), values - values.sum() / len(values)
    middle = 0.5 * (ordered[(n - 1) // 2] + ordered[n // 2])
    return middle, ordered[0], ordered[-1], math.sqrt((centred * centred).sum() / (n - 1)) if n > 1 else math.nan


def _share(part: NDArray[Any], whole: NDArray[np.int64]) -> Floats:
    """part / whole; NaN where whole is 0."""
    result: Floats = np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)
    return result
