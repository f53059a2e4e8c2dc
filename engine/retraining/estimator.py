"""The last step: an estimator of scikit-learn that says nothing of a night which lacks a feature."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.base import clone

from engine.errors import UserError
from engine.retraining import linear
from engine.retraining.normaliser import same_features
from engine.retraining.plain import feature_names, fields
from engine.retraining.rows import Floats, features_of, persons, values
from engine.retraining.step import Step


class Estimator(Step):
    """`model`: one of `linear.KINDS`. Fitted to the nights that have all features and a target."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def check(self) -> None:
        linear.check(self.model)

    def fit(self, nights: pl.DataFrame, target: Any = None) -> Self:
        """target: (n,) numbers, NaN = missing. The order of the rows changes nothing. Raises `UserError` where no night
        is left, or of a classifier only one class."""
        self.check()
        self.features_ = tuple(features_of(nights))
        order = persons(nights).order
        x, y = self._inputs(nights)[order], numbers(target, nights.height)[order]
        whole = ~(np.isnan(x).any(axis=1) | np.isnan(y))
        if not whole.any():
            raise UserError("no night has all features and a target: the smoother asks for look_back nights a person")
        try:
            self.model_ = clone(self.model).fit(x[whole], y[whole])
        except ValueError as error:
            raise UserError(f"{type(self.model).__name__} cannot learn from these nights: {error}") from error
        return self

    def predict(self, nights: pl.DataFrame) -> Floats:
        """(n,) float64, NaN where a feature is missing."""
        x = self._inputs(nights)
        whole = ~np.isnan(x).any(axis=1)
        out = np.full(nights.height, np.nan)
        if whole.any():
            out[whole] = self.model_.predict(x[whole])
        return out

    def score(self, nights: pl.DataFrame, target: Any) -> float:
        """Of scikit-learn: R² of a regressor, accuracy of a classifier; over the nights with an answer and a target.
        Raises `UserError` where those are fewer than two."""
        x, y = self._inputs(nights), numbers(target, nights.height)
        whole = ~(np.isnan(x).any(axis=1) | np.isnan(y))
        if whole.sum() < 2:
            raise UserError(
                "fewer than two nights have both an answer and a target: there is nothing to score; a search's tested "
                "persons start anew, so look_back must be shorter than the time tested"
            )
        return float(self.model_.score(x[whole], y[whole]))

    def _inputs(self, nights: pl.DataFrame) -> NDArray[np.float64]:
        """(n, features), in the order in which they were learned."""
        same_features(self.features_, nights)
        return np.column_stack([values(nights, name) for name in self.features_])

    def parameters(self) -> dict[str, Any]:
        self.check()
        return {"model": linear.parameters(self.model)}

    @classmethod
    def given(cls, parameters: dict[str, Any]) -> dict[str, Any]:
        return {"model": linear.of_parameters(parameters["model"])}

    def learned(self) -> Any:
        if not hasattr(self, "model_"):
            raise UserError("the Estimator is not fitted yet")
        return {"features": list(self.features_), "model": linear.learned(self.model_)}

    def learn_again(self, learned: Any) -> None:
        names, state = fields(learned, ("features", "model"), "the Estimator's learned values")
        self.features_ = feature_names(names)
        self.model_ = linear.learn_again(clone(self.model), state, len(self.features_))


def numbers(target: Any, n: int) -> Floats:
    """(n,) float64. Raises `UserError` where it is of another length or kind."""
    try:
        found = np.asarray(target, np.float64)
    except (TypeError, ValueError) as error:
        raise UserError(f"the target must be numbers (classes, too): {error}") from error
    if found.shape != (n,):
        raise UserError(f"the target must be {n} numbers, one a night")
    return found
