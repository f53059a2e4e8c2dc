"""A linear regressor of scikit-learn on lags and the hour of the day; between fits the coefficients stay."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, ClassVar

import numpy as np

from engine.backtest.contract import FitError, Fitted, Floats, History, Ints, Params, Paths


@dataclass(frozen=True, slots=True)
class Regressor:
    """Any estimator whose forecast is coefficients times inputs, on values scaled by mean and spread of the slice.

    `estimator`: dotted name of its class; `settings`: its parameters. `lags`: hours back, from 1. `harmonics`: of the
    season. `block_h`: 1 forecasts recursively; k has an estimator for each of k steps (direct), and forecasts farther
    ahead take the block before them for observed. What a fit learned must be JSON, so an estimator of trees, kernels or
    networks is refused. No quantiles. `evaluations` becomes `max_iter` where the estimator counts iterations.
    """

    season_h: int = 24
    estimator: str = "sklearn.linear_model.Ridge"
    settings: Mapping[str, Any] = field(default_factory=dict)
    lags: tuple[int, ...] = (1, 2, 3, 24)
    harmonics: int = 2
    block_h: int = 1

    name: ClassVar[str] = "regressor"
    updates: ClassVar[bool] = True
    selects: ClassVar[bool] = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "lags", tuple(self.lags))
        if not self.lags or min(self.lags) < 1 or self.block_h < 1 or "." not in self.estimator:
            raise ValueError("lags and block_h are from 1 on, and the estimator is a dotted name")

    @property
    def history(self) -> History:
        return History.SEASONAL if self.harmonics or max(self.lags) >= self.season_h else History.SHORT

    @property
    def shortest(self) -> int:
        return max(self.lags) + self.block_h + len(self.lags) + 2 * self.harmonics + 2

    def select(self, y: Floats, evaluations: int) -> str:  # noqa: ARG002
        return ""

    def fit(self, y: Floats, form: str, warm: Params | None, evaluations: int) -> Fitted:  # noqa: ARG002
        mean, sd = float(np.mean(y)), float(np.std(y))
        z = (y - mean) / sd
        longest = max(self.lags)
        coefficients, intercepts, used = [], [], 0
        for step in range(1, self.block_h + 1):
            targets = np.arange(longest + step - 1, y.size)
            inputs = self._inputs(z[np.add.outer(targets - step + 1, -np.array(self.lags))], targets - y.size)
            estimator = self._new(evaluations)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                estimator.fit(inputs, z[targets])
            slopes, level = self._linear(estimator, inputs)
            coefficients.append(slopes)
            intercepts.append(level)
            used += int(np.max(getattr(estimator, "n_iter_", None) or 0))
        params = {
            "mean": mean,
            "sd": sd,
            "coefficients": coefficients,
            "intercepts": intercepts,
            "recent": y[-longest:].tolist(),
        }
        return Fitted(params, used)

    def predict(self, params: Params, after: Floats, at: Ints, steps: int) -> Paths:
        mean, sd, longest = params["mean"], params["sd"], max(self.lags)
        slopes, levels = np.array(params["coefficients"]), np.array(params["intercepts"])
        known = (np.concatenate([params["recent"], after]) - mean) / sd
        rows = np.hstack([known[np.add.outer(at, np.arange(longest))], np.zeros((at.size, steps))])
        for step in range(steps):
            place = step % self.block_h
            lagged = rows[:, longest + step - place - np.array(self.lags)]
            inputs = self._inputs(lagged, at + step)
            rows[:, longest + step] = np.sum(inputs * slopes[place], axis=1) + levels[place]
        return Paths(rows[:, longest:] * sd + mean)

    def _inputs(self, lagged: Floats, hours: Ints) -> Floats:
        """Lags: (m, lags), then harmonics of the hours since the slice's end: (m,). Returns (m, inputs)."""
        angle = 2 * np.pi * np.outer(hours, np.arange(1, self.harmonics + 1)) / self.season_h
        return np.hstack([lagged, np.cos(angle), np.sin(angle)])

    def _new(self, evaluations: int) -> Any:
        from sklearn.base import is_regressor  # a second: only who needs it pays

        package, _, name = self.estimator.rpartition(".")
        estimator = getattr(import_module(package), name)(**self.settings)
        if not is_regressor(estimator):
            raise FitError(f"{self.estimator} is no regressor of scikit-learn")
        counts = isinstance(estimator.get_params().get("max_iter"), int) and "max_iter" not in self.settings
        return estimator.set_params(max_iter=max(evaluations, 1)) if counts else estimator

    def _linear(self, estimator: Any, inputs: Floats) -> tuple[list[float], float]:
        """Coefficients and intercept, when they are all that the estimator forecasts by."""
        slopes = np.asarray(getattr(estimator, "coef_", np.empty(0)), np.float64).ravel()
        level = float(np.asarray(getattr(estimator, "intercept_", 0.0)).ravel()[0])
        if slopes.size != inputs.shape[1] or not np.allclose(inputs @ slopes + level, estimator.predict(inputs)):
            raise FitError(
                f"{self.estimator} learns more than coefficients: what a model learned is stored as JSON and never as "
                "a pickle, so trees, boosting, kernels and networks cannot be used here; take a linear estimator"
            )
        return slopes.tolist(), level
