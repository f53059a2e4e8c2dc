"""Readings to hours (DOMAIN H4): one row for each UTC hour with enough plausible readings, six if they are epochs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.vitals.plausibility import plausible, within_rate

HOUR_US = 3_600_000_000
LEAST_READINGS = 6
UNKNOWN = -1

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
    hours, starts, n = np.unique(ts_us // HOUR_US, return_index=True, return_counts=True)
    rows = [
        _row(ts_us[a : a + k], values[a : a + k], asleep[a : a + k])
        for a, k in zip(starts.tolist(), n.tolist(), strict=True)
        if k >= least
    ]
    table = np.array(rows, np.float64).reshape(-1, 6)
    enough = n >= least
    return Hours(hours[enough] * HOUR_US, table[:, 0], n[enough].astype(np.int64), *table[:, 1:].T)


def _row(ts_us: NDArray[np.int64], values: Floats, asleep: NDArray[np.int8]) -> tuple[float, ...]:
    n, ordered, centred = len(values), np.sort(values), values - values.sum() / len(values)
    known = np.count_nonzero(asleep != UNKNOWN)
    return (
        float(0.5 * (ordered[(n - 1) // 2] + ordered[n // 2])),
        float(ordered[0]),
        float(ordered[-1]),
        float(np.sqrt((centred * centred).sum() / (n - 1))) if n > 1 else np.nan,
        float(ts_us[-1] - ts_us[0]) / 1e6 / (n - 1) if n > 1 else np.nan,
        np.count_nonzero(asleep == 1) / known if known else np.nan,
    )
