"""Hand-made readings for the tests of series."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from engine.backtest.series.clean import series_of
from engine.backtest.series.hourly import HOUR_US
from engine.backtest.series.names import READINGS
from engine.backtest.series.series import Series


def frame(rows: Sequence[tuple[float, float | None]], vital: str = "hr_bpm", **more: Any) -> pl.DataFrame:
    """rows: (hours since 1970, value)."""
    columns = {
        "subject_id": "a",
        "vital": vital,
        "ts_us": [round(h * HOUR_US) for h, _ in rows],
        "value": [v for _, v in rows],
        "weight": 0,
        "arrived": None,
    }
    return pl.DataFrame(columns | more, schema=READINGS)


def one(rows: pl.DataFrame) -> Series:
    (series,) = series_of(rows)
    return series


def random_rows(seed: int, hours: int = 400, late: bool = False) -> pl.DataFrame:
    """Three vitals of one subject with gaps, duplicates, garbage and, if `late`, arrivals up to 40 h late."""
    rng = np.random.default_rng(seed)
    frames = []
    silent = np.zeros(hours, np.bool_)
    for _ in range(8):
        a = rng.integers(hours)
        silent[a : a + rng.choice([2, 3, 4, 8, 24, 25, 40])] = True
    for vital, level in (("sbp_mmhg", 115.0), ("dbp_mmhg", 90.0), ("hr_bpm", 80.0)):
        at = np.sort(rng.uniform(0, hours, 2 * hours)).round(2)
        at = at[~silent[at.astype(int)]]
        value = np.round(level + 8 * rng.standard_normal(len(at)), 0)
        if vital == "hr_bpm":  # half a minute after another reading, and 90 bpm from it
            jumps = np.flatnonzero(rng.random(len(at) - 1) < 0.1)
            at[jumps + 1], value[jumps + 1] = at[jumps] + 0.01, value[jumps] + 90
            at = np.sort(at)
        value[rng.random(len(at)) < 0.05] = 1e9
        value[rng.random(len(at)) < 0.05] = np.nan
        arrived = np.ceil(at + rng.choice([0, 1, 5, 40], len(at))).astype(np.int64) if late else [None] * len(at)
        frames.append(frame(list(zip(at.tolist(), value.tolist(), strict=True)), vital, arrived=arrived))
    both = pl.concat(frames)
    # Cuffs measure both at one instant.
    shared = both.filter(pl.col("vital") == "sbp_mmhg").sample(fraction=0.4, seed=seed)
    pairs = shared.with_columns(vital=pl.lit("dbp_mmhg"), value=pl.col("value") - 12.0 + pl.col("ts_us") % 5)
    return pl.concat([both, pairs, both.head(20)])
