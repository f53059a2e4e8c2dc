"""What serving must know of a series besides its forecasts: values, when each became known, origins, scales."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.backtest.contract import Floats, Ints
from engine.backtest.grid import Grid
from engine.backtest.series.asof import states
from engine.backtest.series.hourly import HOUR_US
from engine.backtest.series.origins import STATUSES, Judged, OriginStatus, judge, origins
from engine.backtest.series.scale import scales
from engine.backtest.series.series import NEVER, Series

OK = STATUSES.index(OriginStatus.OK)


@dataclass(frozen=True, slots=True)
class Observed:
    """One series.

    values, known: (hours,) from hour `start`, NaN = not observed; known is the first origin that may use the final
    value. origins: (n,) hour numbers, ascending. code: (n,) int8 places in `origins.STATUSES`. n_recent: (n,). scale,
    scale_square: (n,) mean |y_t − y_{t−m}| and mean (y_t − y_{t−m})² up to the origin, NaN = undefined.
    """

    subject_id: str
    vital: str
    start: int
    values: Floats
    known: Ints
    origins: Ints
    code: NDArray[np.int8]
    n_recent: Ints
    scale: Floats
    scale_square: Floats

    @property
    def usable(self) -> NDArray[np.bool_]:
        """(n,) bool: origins at which a forecast may be published."""
        return np.asarray(self.code == OK)

    def targets(self, steps: int) -> Ints:
        """(n, steps) places in `values` of the hours that are forecast; −1 behind the end."""
        at = self.origins[:, None] - self.start + np.arange(steps)
        return np.where((at >= 0) & (at < len(self.values)), at, -1)

    def actual(self, steps: int) -> Floats:
        """(n, steps) what came, NaN where nothing did."""
        return np.append(self.values, np.nan)[self.targets(steps)]

    def known_from(self, steps: int) -> Ints:
        """(n, steps) index of the first origin that knows what came; n = none does."""
        return np.searchsorted(self.origins, np.append(self.known, NEVER)[self.targets(steps)]).astype(np.int64)


def observe(series: Series, grid: Grid) -> Observed:
    """A frozen series as serving needs it, at the origins of `grid`."""
    at = origins(series.start, series.end, grid)
    seen = states(series, at)
    judged: Judged = judge(seen)
    scale = scales(seen, grid.season_h)
    return Observed(
        series.subject_id,
        series.vital,
        series.start,
        np.array(series.values),  # thawed arrays are read-only, which compiled code does not take
        known_since(series),
        at,
        judged.code,
        judged.n_recent,
        scale.mase,
        scale.rmsse * scale.rmsse,
    )


def known_since(series: Series) -> Ints:
    """(hours,) the first origin at which each hour has its final value: the hour's end, or later arrivals."""
    known = series.start + 1 + np.arange(len(series.values), dtype=np.int64)
    readings = series.readings
    if readings is not None:
        at = readings.ts_us // HOUR_US - series.start
        inside = (at >= 0) & (at < len(known))
        last = np.where(readings.until == NEVER, readings.arrived, np.maximum(readings.arrived, readings.until))
        np.maximum.at(known, at[inside], last[inside])
    return known
