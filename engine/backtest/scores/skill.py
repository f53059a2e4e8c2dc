"""Skill against seasonal naive, over tasks whose errors have no common unit."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
LEAST_RATIO, MOST_RATIO = 0.01, 100.0


def ratios(error: ArrayLike, baseline: ArrayLike) -> Floats:
    """Error over the baseline's, clipped to 0.01 … 100; 1 where both are 0, NaN where either is.

    >>> ratios([1, 0, 3, 0], [2, 5, 0, 0]).tolist()
    [0.5, 0.01, 100.0, 1.0]
    """
    own, other = np.asarray(error, np.float64), np.asarray(baseline, np.float64)
    quotient = np.divide(own, other, out=np.full(np.broadcast(own, other).shape, np.inf), where=other > 0)
    quotient = np.where((own == 0) & (other == 0), 1.0, quotient)
    return np.where(np.isnan(own) | np.isnan(other), np.nan, np.clip(quotient, LEAST_RATIO, MOST_RATIO))


def skill(error: ArrayLike, baseline: ArrayLike) -> float:
    """1 − geometric mean of `ratios` over tasks, a series each; tasks without a ratio are left out, NaN without any.

    >>> round(skill([1, 4], [2, 2]), 12), round(skill([1, 1], [2, 2]), 12)
    (0.0, 0.5)
    """
    logs = np.log(ratios(error, baseline))
    known = logs[np.isfinite(logs)]
    return float(1 - np.exp(known.mean())) if known.size else np.nan
