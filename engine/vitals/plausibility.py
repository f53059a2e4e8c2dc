"""What a vital sign can be (DOMAIN H3): values outside become missing; the caller keeps the raw ones and counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
STUCK_HOURS = 24


@dataclass(frozen=True, slots=True)
class Limits:
    """Plausible range, both ends included, and the fastest change per minute (infinite where none is set)."""

    unit: str
    low: float
    high: float
    per_minute: float = np.inf


LIMITS = {
    "hr_bpm": Limits("bpm", 25.0, 250.0, 80.0),
    "rr_brpm": Limits("brpm", 4.0, 60.0),
    "spo2_pct": Limits("%", 50.0, 100.0),
    "sbp_mmhg": Limits("mm[Hg]", 50.0, 260.0),
    "dbp_mmhg": Limits("mm[Hg]", 25.0, 150.0),
    "map_mmhg": Limits("mm[Hg]", 25.0, 200.0),
    "core_temp_c": Limits("Cel", 30.0, 43.0, 0.1),
    "temp_c": Limits("Cel", 30.0, 43.0, 0.1),
    "skin_temp_c": Limits("Cel", 20.0, 42.0),
    "ibi_ms": Limits("ms", 300.0, 2000.0),
    "rmssd_ms": Limits("ms", 2.0, 300.0),
    "sdnn_ms": Limits("ms", 2.0, 300.0),
}
"""Mean arterial pressure has no range in the literature we follow: from the lowest diastolic to above any mean of a
survivable pair. `temp_c` is core temperature, as `core_temp_c`; a wrist's is `skin_temp_c`, never either."""
LEAST_PULSE_PRESSURE_MMHG = 10.0
FAHRENHEIT = (86.0, 110.0)
KELVIN = (303.15, 316.15)


def plausible(vital: str, values: Floats) -> NDArray[np.bool_]:
    """(n,) bool: in the vital's range. NaN and an exact zero are not. KeyError on an unknown vital.

    >>> plausible("hr_bpm", np.array([0.0, 24.9, 25.0, 250.0, np.nan])).tolist()
    [False, False, True, True, False]
    """
    limits = LIMITS[vital]
    result: NDArray[np.bool_] = (values >= limits.low) & (values <= limits.high) & (values != 0.0)
    return result


def within_rate(vital: str, ts_us: NDArray[np.int64], values: Floats) -> NDArray[np.bool_]:
    """(n,) bool: does not change faster than the vital can, counted from the last value that was kept.

    ts_us: (n,) int64, ascending UTC µs; values: (n,) float64, NaN = missing, not kept. The allowance grows with time,
    so that one wrong value never locks out what follows; applied twice, it drops nothing more.
    """
    per_us = LIMITS[vital].per_minute / 60e6
    keep = np.isfinite(values)
    if np.isinf(per_us) or not (np.abs(np.diff(values[keep])) > per_us * np.diff(ts_us[keep])).any():
        return keep
    last_us, last = 0, np.nan
    kept = []
    for at_us, value in zip(ts_us[keep].tolist(), values[keep].tolist(), strict=True):
        kept.append(not abs(value - last) > per_us * (at_us - last_us))
        if kept[-1]:
            last_us, last = at_us, value
    keep[keep] = kept
    return keep


def blood_pressure(systolic: Floats, diastolic: Floats) -> NDArray[np.bool_]:
    """(n,) bool: both in range and at least 10 mmHg apart."""
    apart = systolic - diastolic >= LEAST_PULSE_PRESSURE_MMHG
    return plausible("sbp_mmhg", systolic) & plausible("dbp_mmhg", diastolic) & apart


def to_celsius(values: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Body temperatures in °C, and which of them were converted: 86–110 is Fahrenheit, 303.15–316.15 Kelvin.

    >>> celsius, converted = to_celsius(np.array([36.6, 98.6, 310.15]))
    >>> celsius.round(2).tolist(), converted.tolist()
    ([36.6, 37.0, 37.0], [False, True, True])
    """
    fahrenheit = (values >= FAHRENHEIT[0]) & (values <= FAHRENHEIT[1])
    kelvin = (values >= KELVIN[0]) & (values <= KELVIN[1])
    celsius = np.where(fahrenheit, (values - 32.0) / 1.8, np.where(kelvin, values - 273.15, values))
    return celsius, fahrenheit | kelvin


def stuck(hourly: Floats) -> NDArray[np.bool_]:
    """(n,) bool: the 24th and later of equal consecutive hourly values; never marked retroactively. Not for SpO₂."""
    n = len(hourly)
    if not n:
        return np.zeros(0, np.bool_)
    changed = np.concatenate([[True], hourly[1:] != hourly[:-1]])
    start = np.maximum.accumulate(np.where(changed, np.arange(n), 0))
    result: NDArray[np.bool_] = np.arange(n) - start >= STUCK_HOURS - 1
    return result
