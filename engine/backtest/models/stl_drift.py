"""STL, its figure repeated, and what remains as a random walk with drift."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engine.backtest.contract import Fits, Floats, Ints, Paths
from engine.backtest.models.stl_naive import STLNaive


@dataclass(frozen=True, slots=True)
class STLDrift(STLNaive):
    """As STLNaive, with the slice's mean step; what the step itself is uncertain by widens the quantiles with time."""

    name: ClassVar[str] = "stl_drift"
    drifts: ClassVar[bool] = True

    def paths(self, y: Floats, values: Floats, failed: Ints, fits: Fits) -> Paths:
        walk = STLNaive.paths(self, y, values, failed, fits)
        assert walk.low is not None and walk.high is not None
        hours = np.repeat(values[:, -1], np.diff(fits.first))
        wider = np.sqrt(1.0 + np.arange(1, fits.steps + 1) / (hours[:, None] - 1.0))
        return Paths(walk.mean, walk.mean + (walk.low - walk.mean) * wider, walk.mean + (walk.high - walk.mean) * wider)
