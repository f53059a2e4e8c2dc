"""One series: a vital sign of one subject on the grid of UTC hours (see engine/backtest/grid.py for hour numbers)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from engine.backtest.contract import Floats, Ints

NEVER = np.iinfo(np.int64).max
"""In `Readings.until`: nothing voids the reading."""


@dataclass(frozen=True, slots=True)
class Corrections:
    """What was dropped or changed on the way from readings to hours, in readings; `stuck` and `hours` in hours."""

    readings: int = 0
    """Rows that named a value, a missing one included."""
    missing: int = 0
    """Null, NaN, infinite or, where the vital has limits, exactly zero."""
    duplicates: int = 0
    """Same instant and value as another row."""
    converted: int = 0
    """Fahrenheit or Kelvin made °C; they stay."""
    implausible: int = 0
    """Outside the vital's range."""
    pressure: int = 0
    """Systolic and diastolic of one instant less than 10 mmHg apart."""
    rate: int = 0
    """Changed faster than the vital can."""
    stuck: int = 0
    """The 24th and later of equal consecutive hours."""
    hours: int = 0
    """Hours that remain observed."""


@dataclass(frozen=True, slots=True)
class Readings:
    """Plausible readings of one series with their arrival; (k,) each, ordered by ts_us. Only where arrival was given.

    ts_us: UTC µs. value: float64, finite. weight: readings that the value stands for (hours of several sources are
    merged as a mean weighted by it), or all 0: single readings, of which an hour's value is the median. arrived: the
    first origin (hour number) that may use it. until: the first origin that may no longer, because what arrived by then
    contradicts it (a systolic by its diastolic); NEVER otherwise.
    """

    ts_us: Ints
    value: Floats
    weight: Ints
    arrived: Ints
    until: Ints


@dataclass(frozen=True, slots=True)
class Series:
    """Hourly values of one vital of one subject.

    start: number of the first hour. values: (n,) float64 in the vital's unit, hour start + i at index i, from the first
    reading's hour to the last's; NaN = no plausible reading. Everything that ever arrived is in them: ask
    `engine.backtest.series.asof` for what was known at an origin. readings: None where arrival is unknown; a reading is
    then known as soon as its hour has ended.
    """

    subject_id: str
    vital: str
    start: int
    values: Floats
    readings: Readings | None = None
    corrections: Corrections = field(default_factory=Corrections)

    @property
    def end(self) -> int:
        """The hour after the last."""
        return self.start + len(self.values)
