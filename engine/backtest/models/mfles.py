"""MFLES, a boosted decomposition, as the library fits it; the forecast is a line and a season."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engine.backtest.contract import Fitted, Floats, History, Ints, Params, Paths


@dataclass(frozen=True, slots=True)
class Mfles:
    """Median, Fourier season, trend and smoothing in boosting rounds, by statsforecast with its defaults.

    It has no states, so no update, and no quantiles of its own (the library's are conformal and refit: fault 7).
    `rounds` bounds the work, not `evaluations`.
    """

    season_h: int = 24
    rounds: int = 50

    name: ClassVar[str] = "mfles"
    history: ClassVar[History] = History.SEASONAL
    updates: ClassVar[bool] = False
    selects: ClassVar[bool] = False

    @property
    def shortest(self) -> int:
        return 2 * self.season_h

    def select(self, y: Floats, evaluations: int) -> str:  # noqa: ARG002
        return ""

    def fit(self, y: Floats, form: str, warm: Params | None, evaluations: int) -> Fitted:  # noqa: ARG002
        from statsforecast.mfles import MFLES  # seconds: only who needs it pays

        model = MFLES(verbose=False)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            model.fit(y=np.array(y, np.float64), seasonal_period=self.season_h, max_rounds=self.rounds)
        before, last = (float(value) for value in model.trend[-2:])
        penalty = getattr(model, "penalty", None)  # the library has none where the first line was no gain
        slope = (last - before) * (max(0.0, float(penalty)) if model.trend_penalty and penalty is not None else 1.0)
        logs = model.const is not None
        return Fitted(
            {
                "last": last,
                "slope": slope,
                "season": np.asarray(model.seasonality, np.float64).tolist(),
                "logs": logs,
                "mean": 0.0 if logs else float(model.mean),
                "sd": 1.0 if logs else float(model.std),
            }
        )

    def predict(self, params: Params, after: Floats, at: Ints, steps: int) -> Paths:  # noqa: ARG002
        line = params["slope"] * np.arange(1, steps + 1) + params["last"]
        value = line + np.resize(np.array(params["season"], np.float64), steps)
        path = np.exp(value) if params["logs"] else params["mean"] + value * params["sd"]
        return Paths(np.tile(path, (at.size, 1)))
