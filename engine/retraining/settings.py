"""What is settled before a training looks at any result, and the persons that no training sees."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import polars as pl

from engine.errors import UserError
from engine.retraining.plain import whole
from engine.retraining.rows import SUBJECT, check

LEAST_GAP_DAYS = 7


@dataclass(frozen=True, slots=True)
class Settings:
    """space: values to draw from, by parameter as in `smoother__look_back`; n_iter: draws; margin: by how much a
    candidate must score better than the current model, in units of the score; frozen_share: of persons."""

    space: Mapping[str, Sequence[bool | int | float | str | None]] = field(
        default_factory=lambda: {"smoother__look_back": [5, 7, 10, 14], "smoother__iterations": [0, 3]}
    )
    n_iter: int = 4
    seed: int = 0
    folds: int = 3
    cuts: int = 2
    gap_days: int = LEAST_GAP_DAYS
    margin: float = 0.01
    frozen_share: float = 0.2

    def __post_init__(self) -> None:
        """Raises `UserError` naming what cannot be."""
        for name, least in {"n_iter": 1, "seed": 0, "folds": 2, "cuts": 1, "gap_days": LEAST_GAP_DAYS}.items():
            whole(name, getattr(self, name), least, 1 << 31)
        if not all(_is_between(one, most) for one, most in ((self.margin, math.inf), (self.frozen_share, 1.0))):
            raise UserError("margin must be a number above 0, and frozen_share between 0 and 1")
        lists = self.space.values() if isinstance(self.space, Mapping) else [None]
        if not lists or not all(isinstance(one, list | tuple) and one for one in lists):
            raise UserError("space must give each parameter a list of values")

    def plain(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def _is_between(value: Any, most: float) -> bool:
    return isinstance(value, int | float) and 0 < value < most


def frozen(nights: pl.DataFrame, share: float) -> pl.Series:
    """(n,) bool: nights of the frozen test persons. A person's name alone decides, so that the same persons are
    frozen in every training, whoever joins or leaves, and no list of them is kept. Raises as `rows.check`."""
    check(nights)
    names = nights[SUBJECT].unique()
    chosen = [name for name in names if int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) < share * 2**32]
    return nights[SUBJECT].is_in(chosen)
