"""STL, its figure repeated, and what remains by exponential smoothing that chooses its form."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from engine.backtest.contract import Fits, Floats, History, Ints, Paths
from engine.backtest.models.auto_ets import AutoETS
from engine.backtest.models.compiled import Batch, Compiled, Layout
from engine.backtest.models.ets import form_table, learn_forms, smoothed_paths, smoothing_layout
from engine.backtest.models.stl_naive import rests
from kernels.stl import stl
from kernels.stl_sweep import SMOOTHED


@dataclass(frozen=True, slots=True)
class STLMEts(Compiled):
    """Seasonal figure of the slice's last cycle plus an exponential smoothing of the rest without a season, initial
    states solved; the form of least AICc is chosen at the select cadence. Between fits the figure stays and the states
    are filtered on what remains. Quantiles: normal, from the form's variance; that of the figure is left out.
    """

    season_h: int = 24

    name: ClassVar[str] = "stlm_ets"
    history: ClassVar[History] = History.SEASONAL
    forms: ClassVar[tuple[str, ...]] = ("ANN", "AAN", "AAdN")

    @property
    def shortest(self) -> int:
        return 2 * self.season_h

    @property
    def layout(self) -> Layout:
        return smoothing_layout(self.season_h)

    def select(self, y: Floats, evaluations: int) -> str:
        rest = y - stl(np.ascontiguousarray(y), self.season_h)[0]
        return AutoETS(self.forms, self.season_h).select(rest, evaluations)

    def learn(self, y: Floats, batch: Batch) -> None:
        rest, start, end = rests(y, batch, self.season_h)
        smoothed = replace(batch, start=start, end=end, values=np.ascontiguousarray(batch.values[:, : SMOOTHED + 1]))
        learn_forms(rest, smoothed, form_table(self.forms, self.season_h))
        batch.values[:, :SMOOTHED] = smoothed.values[:, :SMOOTHED]

    def paths(self, y: Floats, values: Floats, failed: Ints, fits: Fits) -> Paths:
        return smoothed_paths(y, values, failed, fits)
