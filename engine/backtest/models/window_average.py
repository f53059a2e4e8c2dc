"""The mean of the last values, at every step ahead."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.backtest.contract import Fits, Floats, History, Ints, Paths
from engine.backtest.models.compiled import Batch, Compiled, Layout
from kernels.seasonal import average_paths, learn_last


@dataclass(frozen=True, slots=True)
class WindowAverage(Compiled):
    """Mean of the last `size_h` values seen. No quantiles of its own."""

    size_h: int = 24

    name = "window_average"
    history = History.ANY

    @property
    def shortest(self) -> int:
        return self.size_h

    @property
    def layout(self) -> Layout:
        return (("last", self.size_h),)

    def learn(self, y: Floats, batch: Batch) -> None:
        learn_last(y, batch.end, batch.done, batch.values, batch.failed)

    def paths(self, y: Floats, values: Floats, failed: Ints, fits: Fits) -> Paths:
        mean = np.full((fits.at.size, fits.steps), np.nan)
        average_paths(values, y, fits.end, fits.first, fits.at, failed, mean)
        return Paths(mean)
