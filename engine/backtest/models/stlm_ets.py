"""STL, its figure repeated, and what remains by exponential smoothing that chooses its form."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from engine.backtest.contract import COLD, Fits, Floats, History, Ints, Paths
from engine.backtest.models.compiled import Batch, Compiled, Layout
from engine.backtest.models.ets import FORMS, form_table, learn_forms, smoothed_paths, smoothing_layout
from engine.backtest.models.stl_naive import rests
from kernels.ets_sweep import freedom
from kernels.stl import stl
from kernels.stl_sweep import SMOOTHED, loosen


@dataclass(frozen=True, slots=True)
class STLMEts(Compiled):
    """Seasonal figure of the slice's last cycle plus an exponential smoothing of the rest without a season, initial
    states solved; the form of least Schwarz criterion is chosen at the select cadence. Between fits the figure stays
    and the states are filtered on what remains. Quantiles: normal, from the form's variance and that of the figure.

    AAdN may be asked for too, but is no default: what STL leaves is smooth, its hours resemble their neighbours, and a
    damped trend learns that (φ 0.8, β near α). On M4 hourly, windows 72/168/336, MASE is 0.906/1.024/1.040 with it and
    0.890/0.993/1.003 without; by Akaike's criterion 0.891/0.994/1.003, in the median worse.
    """

    forms: tuple[str, ...] = ("ANN", "AAN")
    season_h: int = 24

    name: ClassVar[str] = "stlm_ets"
    history: ClassVar[History] = History.SEASONAL

    def __post_init__(self) -> None:
        plain = [form for form, (seasonal, *_) in FORMS.items() if not seasonal]
        if not self.forms or not set(self.forms) <= set(plain):
            raise ValueError(f"forms {self.forms}: choose among {', '.join(plain)}")

    @property
    def shortest(self) -> int:
        return 2 * self.season_h

    @property
    def layout(self) -> Layout:
        return smoothing_layout(self.season_h)

    def select(self, y: Floats, evaluations: int) -> str:
        y = np.ascontiguousarray(y)
        n, count, table = y.size, len(self.forms), form_table(self.forms, self.season_h)
        zeros, values = np.zeros(count, np.int64), np.empty((count, SMOOTHED + 1))
        batch = Batch(
            zeros, np.full(count, n), np.full(count, COLD), np.arange(count), 0, evaluations, values, zeros.copy(),
            zeros.copy(),
        )  # fmt: skip
        learn_forms(y - stl(y, self.season_h)[0], batch, table)
        unknowns = np.array([freedom(form) for form in table])
        squares = np.maximum(values[:, 4] * (n - unknowns), 1e-300)
        scores = np.where(batch.failed, np.inf, n * np.log(squares / n) + unknowns * np.log(n))
        return self.forms[int(np.argmin(scores))]

    def learn(self, y: Floats, batch: Batch) -> None:
        rest, start, end = rests(y, batch, self.season_h)
        smoothed = replace(batch, start=start, end=end, values=np.ascontiguousarray(batch.values[:, : SMOOTHED + 1]))
        table = form_table(self.forms, self.season_h)
        learn_forms(rest, smoothed, table)
        batch.values[:, :SMOOTHED] = smoothed.values[:, :SMOOTHED]
        unknowns = np.array([freedom(form) for form in table])
        loosen(start, end, unknowns[batch.form], batch.done, self.season_h, batch.values)

    def paths(self, y: Floats, values: Floats, failed: Ints, fits: Fits) -> Paths:
        return smoothed_paths(y, values, failed, fits)
