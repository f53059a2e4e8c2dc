"""The one of four theta models that explains a slice best for its unknowns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engine.backtest.contract import Floats, Ints
from engine.backtest.models.compiled import Batch
from engine.backtest.models.theta import FORMS, Theta
from kernels.theta import choose_theta


@dataclass(frozen=True, slots=True)
class AutoTheta(Theta):
    """Standard or optimised, with a line through the slice or one that learns: the least Schwarz criterion at the
    select cadence."""

    name: ClassVar[str] = "auto_theta"
    forms: ClassVar[tuple[str, ...]] = FORMS

    def codes(self, batch: Batch) -> Ints:
        return batch.form

    def select(self, y: Floats, evaluations: int) -> str:
        return FORMS[choose_theta(np.ascontiguousarray(y), self.season_h, evaluations)]
