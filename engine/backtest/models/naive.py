"""The last value again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.backtest.contract import Fits, Floats, History, Ints, Paths
from engine.backtest.models.compiled import Batch, Compiled, Layout
from kernels.seasonal import learn_seasonal, seasonal_paths


@dataclass(frozen=True, slots=True)
class Naive(Compiled):
    """The last value seen: a seasonal naive of season 1. Quantiles: normal, root mean square of the slice's differences
    times the square root of the step; NaN where the slice is one value long."""

    name = "naive"
    history = History.SHORT

    @property
    def shortest(self) -> int:
        return 1

    @property
    def layout(self) -> Layout:
        return (("last", 1), ("spread", 1))

    def learn(self, y: Floats, batch: Batch) -> None:
        learn_seasonal(y, batch.start, batch.end, batch.done, 1, batch.values, batch.failed)

    def paths(self, y: Floats, values: Floats, failed: Ints, fits: Fits) -> Paths:
        mean, low, high = np.full((3, fits.at.size, fits.steps), np.nan)
        seasonal_paths(values, y, fits.end, fits.first, fits.at, 1, failed, mean, low, high)
        return Paths(mean, low, high)
