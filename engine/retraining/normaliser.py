"""The second step: how far a night is from its person's usual ones, or from everybody's while those are unknown."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import polars as pl

from engine.errors import UserError
from engine.longitudinal.deviations import MAD_TO_SD
from engine.longitudinal.features import FEATURES
from engine.retraining.plain import array, feature_names, fields, refused, whole
from engine.retraining.rows import Floats, Persons, each, features_of, values
from engine.retraining.step import Step
from kernels.baseline import past_baseline

FLOORS = {one.name: one.floor for one in FEATURES}


class Normaliser(Step):
    """dev_z as in the table `baselines`: (value − median) / (1.4826 mad) over the person's last `most` nights with a
    value before this one, if there are `least`; else with median and mad over all nights of the training. A mad is at
    least its feature's floor. Every row that comes in enters baselines: leave bands C and D out before.
    """

    def __init__(self, most: int = 28, least: int = 7) -> None:
        self.most = most
        self.least = least

    def check(self) -> None:
        whole("most", self.most, 1)
        whole("least", self.least, 1, self.most)

    def fit(self, nights: pl.DataFrame, target: Any = None) -> Self:  # noqa: ARG002
        """Raises `UserError` where a feature has no floor, or no value to learn from."""
        self.check()
        names = features_of(nights)
        found = [values(nights, name) for name in names]
        for name, x in zip(names, found, strict=True):
            if name not in FLOORS:
                raise UserError(f"nights: {name} has no floor of spread; features are {', '.join(FLOORS)}")
            if np.isnan(x).all():
                raise UserError(f"nights: {name} has no value in the nights to learn from")
        self.features_ = tuple(names)
        self.median_ = np.array([np.nanmedian(x) for x in found])
        self.mad_ = np.array([np.nanmedian(np.abs(x - np.nanmedian(x))) for x in found])
        return self

    def transform(self, nights: pl.DataFrame) -> pl.DataFrame:
        """The same rows in the same order; features without unit. Raises `UserError` for features not learned."""
        same_features(self.features_, nights)
        return each(nights, self._deviation)

    def _deviation(self, name: str, x: Floats, of: Persons) -> Floats:
        at = self.features_.index(name)
        median, mad, _, _ = past_baseline(x, np.ones(x.size, np.bool_), of.person, self.most, self.least)
        known = ~np.isnan(median)
        median, mad = np.where(known, median, self.median_[at]), np.where(known, mad, self.mad_[at])
        result: Floats = (x - median) / (MAD_TO_SD * np.maximum(mad, FLOORS[name]))
        return result

    def learned(self) -> Any:
        if not hasattr(self, "features_"):
            raise UserError("the Normaliser is not fitted yet")
        return {"features": list(self.features_), "median": self.median_.tolist(), "mad": self.mad_.tolist()}

    def learn_again(self, learned: Any) -> None:
        names, median, mad = fields(learned, ("features", "median", "mad"), "the Normaliser's learned values")
        self.features_ = feature_names(names)
        self.median_ = array(median, (len(self.features_),), "median")
        self.mad_ = array(mad, (len(self.features_),), "mad")
        if not set(self.features_) <= FLOORS.keys() or (self.mad_ < 0).any():
            raise refused("the Normaliser knows other features, or a negative mad")


def same_features(learned: tuple[str, ...], nights: pl.DataFrame) -> None:
    """Raises `UserError` unless the frame has exactly these, in any order."""
    found = features_of(nights)
    if set(found) != set(learned):
        raise UserError(f"nights: the features are {', '.join(found)}, but {', '.join(learned)} were learned")
