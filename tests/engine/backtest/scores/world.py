"""Small worlds of series with known errors, scored by several configurations."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from engine.backtest.grid import Configuration, Policy
from engine.backtest.scores.sums import Rows, ScoreSums
from engine.backtest.scores.table import FIT

Floats = np.ndarray
STEPS = 4


def configuration(model: str, window_h: int | None = 72, refit_h: int = 1) -> Configuration:
    return Configuration(model, window_h, refit_h, Policy.UPDATE)


def rows(
    y: Floats,
    yhat: Floats,
    baseline: Floats,
    served: Floats | int = FIT,
    scale: float = 2.0,
    common: Floats | None = None,
) -> Rows:
    """yhat with quantiles 3 around it; age = hours since the start, modulo 3."""
    origins = len(y)
    age = np.repeat(np.arange(origins, dtype=np.int32) % 3, y.shape[1]).reshape(y.shape)
    return Rows(
        y=y,
        yhat=yhat,
        q10=yhat - 3,
        q50=yhat.copy(),
        q90=yhat + 3,
        baseline=baseline,
        served=np.broadcast_to(np.asarray(served, np.int32), y.shape).copy(),
        age_h=age,
        common=np.ones(origins, np.bool_) if common is None else common,
        back_h=np.arange(origins)[::-1].copy(),
        scale=np.full(origins, scale),
        scale_square=np.full(origins, scale * scale),
    )


def tables(series: Mapping[tuple[str, str], Mapping[Configuration, Rows]]) -> dict[str, pl.LazyFrame]:
    """{(subject, vital): {configuration: rows}} as the tables of one unit of work."""
    sums = ScoreSums()
    for (subject, vital), by in series.items():
        for one, found in by.items():
            sums.add(subject, vital, one, found)
    return {name: pl.from_arrow(table).lazy() for name, table in sums.tables("w").items()}
