"""Training and test nights for cross-validation: other persons, and later."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold

from engine.errors import UserError
from engine.retraining.rows import DATE, SUBJECT

Rows = NDArray[np.int64]


class PersonsLater:
    """A splitter of scikit-learn: persons in `folds` groups, nested in `cuts` moments of time.

    A test has the nights of one group of persons from `gap_days` after a cut until the next cut's test begins, its
    training the other groups' nights before the cut. Cuts part the dates evenly; each training is longer than the last.
    """

    def __init__(self, folds: int, cuts: int, gap_days: int) -> None:
        self.folds = folds
        self.cuts = cuts
        self.gap_days = gap_days

    def get_n_splits(self, nights: Any = None, target: Any = None, groups: Any = None) -> int:  # noqa: ARG002
        return self.folds * self.cuts

    def split(self, nights: pl.DataFrame, target: Any = None, groups: Any = None) -> Iterator[tuple[Rows, Rows]]:  # noqa: ARG002
        """Places of rows. Raises `UserError` where a part has none: too few persons, or too short a time."""
        day = nights[DATE].to_physical().to_numpy().astype(np.int64)
        persons = nights[SUBJECT].to_numpy()
        if len(np.unique(persons)) < self.folds:
            raise UserError(f"{len(np.unique(persons))} persons are too few for {self.folds} folds")
        edges = np.linspace(day.min(), day.max() + 1, self.cuts + 2).round().astype(np.int64)[1:]
        for cut, end in pairwise(edges):
            last = end == edges[-1]
            tested = (day >= cut + self.gap_days) & (last | (day < end + self.gap_days))
            for others, group in GroupKFold(self.folds).split(day, groups=persons):
                train, test = others[day[others] < cut], group[tested[group]]
                if not train.size or not test.size:
                    began = nights[DATE].min() + timedelta(int(cut - day.min()))  # type: ignore[operator]
                    raise UserError(f"no nights of a fold lie before {began}, or {self.gap_days} days after it")
                yield train, test
