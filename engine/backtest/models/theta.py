"""The theta method, standard and optimised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engine.backtest.contract import Fits, Floats, History, Ints, Paths
from engine.backtest.models.compiled import Batch, Compiled, Layout
from kernels.theta import FIGURE, learn_theta, theta_paths

FORMS = ("STM", "OTM", "DSTM", "DOTM")
"""In the kernel's order of codes."""
_STATE = (
    "alpha", "weight", "level", "intercept", "slope", "mean", "hours", "spread", "learns", "multiplies"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Theta(Compiled):
    """Standard theta (Assimakopoulos & Nikolopoulos 2000) on the seasonally adjusted slice: simple smoothing with half
    the slope of a straight line, the season taken out (by ratios where all is positive) if the 90 % test finds one.

    Between fits the level is filtered; the line (unless the form learns it) and the seasonal figure stay.
    """

    season_h: int = 24

    name: ClassVar[str] = "theta"
    history: ClassVar[History] = History.SHORT
    code: ClassVar[int] = 0
    """The form, index into FORMS."""

    @property
    def shortest(self) -> int:
        return 10

    @property
    def layout(self) -> Layout:
        assert len(_STATE) == FIGURE
        return (*((name, 1) for name in _STATE), ("figure", self.season_h))

    def codes(self, batch: Batch) -> Ints:
        """Each fit's form."""
        return np.full(batch.start.size, self.code)

    def learn(self, y: Floats, batch: Batch) -> None:
        learn_theta(
            y, batch.start, batch.end, batch.anchor, self.codes(batch), batch.done, self.season_h, batch.budget,
            batch.values, batch.failed, batch.used,
        )  # fmt: skip

    def paths(self, y: Floats, values: Floats, failed: Ints, fits: Fits) -> Paths:
        mean, low, high = np.full((3, fits.at.size, fits.steps), np.nan)
        theta_paths(values, y, fits.end, fits.first, fits.at, self.season_h, failed, mean, low, high)
        return Paths(mean, low, high)
