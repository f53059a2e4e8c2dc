"""TBATS whose components are chosen by Akaike's criterion over fits of our own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import ClassVar

import numpy as np

from engine.backtest.contract import FitError, Fitted, Floats, History, Ints, Params, Paths
from engine.backtest.models.tbats import TRENDS, Components, count_harmonics, estimate, parse, project

_ERRORS = ((1, 0), (0, 1), (1, 1), (2, 0))


@dataclass(frozen=True, slots=True)
class AutoTbats:
    """With and without Box and Cox's transformation (Guerrero's lambda), three trends, then ARMA errors.

    Harmonics are added while Akaike's criterion of a regression falls, as in the TBATS paper. Each candidate's fit has
    `evaluations` of its own.
    """

    season_h: int = 24

    name: ClassVar[str] = "auto_tbats"
    history: ClassVar[History] = History.SEASONAL
    updates: ClassVar[bool] = True
    selects: ClassVar[bool] = True

    @property
    def shortest(self) -> int:
        return 2 * self.season_h

    def select(self, y: Floats, evaluations: int) -> str:
        harmonics = count_harmonics(y, self.season_h)
        powers = [1.0, guerrero(y, self.season_h)] if np.all(y > 0.0) else [1.0]
        plain = [Components(power, trend, harmonics, 0, 0) for power, trend in product(dict.fromkeys(powers), TRENDS)]
        scores = dict(_scores(y, plain, self.season_h, evaluations))
        if not scores:
            raise FitError("no set of components could be fitted")
        best = min(scores, key=lambda parts: scores[parts])
        errors = [best._replace(p=p, q=q) for p, q in _ERRORS]
        scores.update(_scores(y, errors, self.season_h, evaluations))
        return min(scores, key=lambda parts: scores[parts]).form

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


def _scores(
    y: Floats, candidates: list[Components], season: int, evaluations: int
) -> Iterator[tuple[Components, float]]:
    """Akaike's criterion of each set of components that can be fitted, on the scale of y."""
    for parts in candidates:
        try:
            params = estimate(y, parts, season, None, evaluations).params
        except FitError:
            continue
        jacobian = 0.0 if parts.power == 1.0 else 2.0 * (parts.power - 1.0) * float(np.sum(np.log(y)))
        counted = len(params["free"]) + parts.states + (parts.power != 1.0)
        yield parts, y.size * float(np.log(max(params["squares"], 1e-300))) - jacobian + 2 * counted
