"""The third step: each feature smoothed without a look at later nights."""

from __future__ import annotations

import polars as pl

from engine.errors import UserError
from engine.retraining.plain import whole
from engine.retraining.rows import Floats, Persons, each
from engine.retraining.step import Step
from kernels.lowess import newest

FEWEST = 3
"""A line through fewer neighbours is no smoothing: the farthest of them has no weight."""


class LookbackLowess(Step):
    """LOWESS (local linear, tricube, robust `iterations`) over each person's last `look_back` nights with a value, by
    date; its value at the newest of them. Null where the night has no value, and until there are `look_back`.

    frac: share of the `look_back` nights that each local line is drawn through. Learns nothing.
    """

    def __init__(self, look_back: int = 7, frac: float = 0.7, iterations: int = 0) -> None:
        self.look_back = look_back
        self.frac = frac
        self.iterations = iterations

    def check(self) -> None:
        whole("look_back", self.look_back, FEWEST)
        whole("iterations", self.iterations, 0, 10)
        is_number = isinstance(self.frac, int | float) and not isinstance(self.frac, bool)
        if not is_number or not 0 < self.frac <= 1 or self._neighbours < FEWEST:
            raise UserError(f"frac must be at most 1, and of {self.look_back} nights at least {FEWEST}")

    @property
    def _neighbours(self) -> int:
        return int(self.frac * self.look_back + 1e-10)

    def transform(self, nights: pl.DataFrame) -> pl.DataFrame:
        """The same rows in the same order, each feature in its unit."""
        self.check()
        return each(nights, self._smoothed)

    def _smoothed(self, name: str, x: Floats, of: Persons) -> Floats:  # noqa: ARG002
        result: Floats = newest(of.day, x, of.person, self.look_back, self._neighbours, self.iterations)
        return result
