"""Quantiles of a forecast whose error is normal."""

from __future__ import annotations

import numpy as np

from engine.backtest.contract import Floats, Paths

DECILE = 1.2815515655446004
"""Standard deviations between the median and the 10 % quantile of a normal distribution."""


def around(mean: Floats, sd: Floats) -> Paths:
    """Paths of means with their 10 % and 90 % quantiles; mean, sd: (origins, steps)."""
    reach = DECILE * np.asarray(sd)
    return Paths(mean, mean - reach, mean + reach)
