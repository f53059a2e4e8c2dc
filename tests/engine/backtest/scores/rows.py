"""Rows of forecasts out of chance, with every kind of hole."""

from __future__ import annotations

import numpy as np

from engine.backtest.scores.sums import Rows
from engine.backtest.scores.table import SERVERS


def some_rows(seed: int, origins: int = 12, steps: int = 4, holes: float = 0.2, ages: int = 5) -> Rows:
    rng = np.random.default_rng(seed)
    shape = (origins, steps)

    def near(y: np.ndarray, sd: float) -> np.ndarray:
        return np.where(rng.random(shape) < holes, np.nan, y + rng.normal(0, sd, shape))

    y = rng.normal(70, 10, shape)
    y[rng.random(shape) < holes / 4] = 0.0
    yhat = near(y, 3)
    yhat[0] = y[0]
    scale = np.where(rng.random(origins) < holes, np.nan, rng.uniform(1, 5, origins))
    scale[origins // 2] = 0.0
    return Rows(
        y=np.where(rng.random(shape) < holes, np.nan, y),
        yhat=yhat,
        q10=near(y - 4, 1),
        q50=near(y, 1),
        q90=near(y + 4, 1),
        baseline=near(y, 4),
        served=rng.integers(0, len(SERVERS) - 1, shape).astype(np.int32),
        age_h=rng.integers(-1, ages, shape).astype(np.int32),
        common=rng.random(origins) < 0.7,
        back_h=np.arange(origins)[::-1].copy(),
        scale=scale,
        scale_square=scale**2 * 1.5,
    )
