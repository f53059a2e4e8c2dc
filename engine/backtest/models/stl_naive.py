"""STL, its figure repeated, and the last value of what remains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engine.backtest.contract import Fits, Floats, History, Ints, Paths
from engine.backtest.models.compiled import Batch, Compiled, Layout
from engine.backtest.models.ets import smoothed_paths, smoothing_layout
from kernels.stl_sweep import adjust_slices, learn_walks


@dataclass(frozen=True, slots=True)
class STLNaive(Compiled):
    """Seasonal figure of the slice's last cycle plus the newest value less its figure; the figure stays between fits.

    Quantiles: normal, from a random walk's variance and that of the figure.
    """

    season_h: int = 24

    name: ClassVar[str] = "stl_naive"
    history: ClassVar[History] = History.SEASONAL
    drifts: ClassVar[bool] = False

    @property
    def shortest(self) -> int:
        return 2 * self.season_h

    @property
    def layout(self) -> Layout:
        return (*smoothing_layout(self.season_h), ("hours", 1))

    def learn(self, y: Floats, batch: Batch) -> None:
        rest, start, end = rests(y, batch, self.season_h)
        learn_walks(rest, start, end, batch.done, self.drifts, batch.values, batch.failed)

    def paths(self, y: Floats, values: Floats, failed: Ints, fits: Fits) -> Paths:
        return smoothed_paths(y, np.ascontiguousarray(values[:, :-1]), failed, fits)


def rests(y: Floats, batch: Batch, season_h: int) -> tuple[Floats, Ints, Ints]:
    """Slices of the batch less their seasonal components, one after another, and where each begins and ends; the
    figures are put into the batch."""
    lengths = np.where(np.arange(batch.start.size) < batch.done, 0, batch.end - batch.start)
    end = np.cumsum(lengths)
    rest = np.empty(int(end[-1]) if end.size else 0)
    adjust_slices(y, batch.start, batch.end, batch.done, season_h, batch.values, rest, batch.failed)
    return rest, end - lengths, end
