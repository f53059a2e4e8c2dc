"""TBATS whose components are chosen by Akaike's corrected criterion over fits of our own."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import ClassVar

import numpy as np

from engine.backtest.contract import Fitted, Floats, History, Ints, Params, Paths
from engine.backtest.models.tbats import TRENDS, Components, best, estimate, parse, project, with_harmonics

_ERRORS = ((1, 0), (0, 1), (1, 1), (2, 0))


@dataclass(frozen=True, slots=True)
class AutoTbats:
    """The number of harmonics, then with and without Box and Cox's transformation (Guerrero's lambda) and three trends,
    then ARMA errors. Each candidate's fit has `evaluations` of its own."""

    season_h: int = 24

    name: ClassVar[str] = "auto_tbats"
    history: ClassVar[History] = History.SEASONAL
    updates: ClassVar[bool] = True
    selects: ClassVar[bool] = True

    @property
    def shortest(self) -> int:
        return 2 * self.season_h

    def select(self, y: Floats, evaluations: int) -> str:
        first = with_harmonics(y, Components(1.0, "damped", 1, 0, 0), self.season_h, evaluations)
        powers = dict.fromkeys([1.0, guerrero(y, self.season_h)] if np.all(y > 0.0) else [1.0])
        plain = [first._replace(power=power, trend=trend) for power, trend in product(powers, TRENDS)]
        chosen = best(y, plain, self.season_h, evaluations)
        errors = [chosen._replace(p=p, q=q) for p, q in _ERRORS]
        return best(y, [chosen, *errors], self.season_h, evaluations).form

    def fit(self, y: Floats, form: str, warm: Params | None, evaluations: int) -> Fitted:
        return estimate(y, parse(form), self.season_h, warm, evaluations)

    def predict(self, params: Params, after: Floats, at: Ints, steps: int) -> Paths:
        return project(params, after, at, steps)


def guerrero(y: Floats, season: int) -> float:
    """Lambda in 0 … 1, to 0.05, that makes the seasons' spreads most alike (1993, doi:10.1002/for.3980120104)."""
    seasons = y[y.size % season :].reshape(-1, season)
    mean, sd = seasons.mean(axis=1), seasons.std(axis=1, ddof=1)
    powers = np.arange(21) / 20
    ratios = sd[:, None] / mean[:, None] ** (1.0 - powers)
    level = ratios.mean(axis=0)
    return float(powers[np.argmin(ratios.std(axis=0) / np.where(level > 0, level, 1.0))])
