"""Holt–Winters with an additive season."""

from __future__ import annotations

from dataclasses import dataclass

from engine.backtest.contract import Fits, Floats, History, Ints, Paths
from engine.backtest.models.compiled import Batch, Compiled, Layout
from engine.backtest.models.ets import form_table, learn_forms, shortest_slice, smoothed_paths, smoothing_layout


@dataclass(frozen=True, slots=True)
class HoltWinters(Compiled):
    """Level, trend and season of ETS form AAA (AAdA where `damped`) from a classical start: the mean season about a
    line, the level of the first one, no trend. Only smoothing parameters are searched. Quantiles as ETS.
    """

    season_h: int = 24
    damped: bool = False

    name = "holt_winters"
    history = History.SEASONAL

    def __post_init__(self) -> None:
        if self.season_h < 2:
            raise ValueError("a season has two hours or more")

    @property
    def shortest(self) -> int:
        return shortest_slice(self._form, self.season_h)

    @property
    def _form(self) -> str:
        return "AAdA" if self.damped else "AAA"

    @property
    def layout(self) -> Layout:
        return smoothing_layout(self.season_h)

    def learn(self, y: Floats, batch: Batch) -> None:
        learn_forms(y, batch, form_table((self._form,), self.season_h, classical=True))

    def paths(self, y: Floats, values: Floats, failed: Ints, fits: Fits) -> Paths:
        return smoothed_paths(y, values, failed, fits)
