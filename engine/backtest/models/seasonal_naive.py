"""The last season again: the baseline of every comparison, and the last resort after a failure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.backtest.contract import Fits, Floats, History, Ints, Paths
from engine.backtest.models.compiled import Batch, Compiled, Layout
from kernels.seasonal import learn_seasonal, seasonal_paths


@dataclass(frozen=True, slots=True)
class SeasonalNaive(Compiled):
    """Value of the same phase in the last season seen. Quantiles: normal, root mean square of the slice's seasonal
    differences times the square root of the seasons ahead; NaN where the slice is one season long."""

    season_h: int = 24

    name = "seasonal_naive"
    history = History.ANY

    @property
    def shortest(self) -> int:
        return self.season_h

    @property
    def layout(self) -> Layout:
        return (("season", self.season_h), ("spread", 1))

    def learn(self, y: Floats, batch: Batch) -> None:
        learn_seasonal(y, batch.start, batch.end, batch.done, self.season_h, batch.values, batch.failed)

    def paths(self, y: Floats, values: Floats, failed: Ints, fits: Fits) -> Paths:
        mean, low, high = np.full((3, fits.at.size, fits.steps), np.nan)
        seasonal_paths(values, y, fits.end, fits.first, fits.at, self.season_h, failed, mean, low, high)
        return Paths(mean, low, high)
