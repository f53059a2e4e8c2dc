"""Fabricated nights of persons whose target is hidden in what is unusual for them."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl

from engine.retraining.pipeline import NightPipeline, pipeline

FIRST = date(2026, 1, 1)
FEATURES = ("hr_median", "rr_median", "wst_median")
TARGET = "target"


def of_one(feature: str, values: list[float | None], subject: str = "P") -> pl.DataFrame:
    """One feature of one person, a night a day."""
    dates = pl.Series([FIRST + timedelta(day) for day in range(len(values))], dtype=pl.Date)
    whose = pl.Series([subject] * len(values), dtype=pl.String)
    return pl.DataFrame({"subject_id": whose, "night_date": dates, feature: pl.Series(values, dtype=pl.Float64)})


def rows(seed: int, persons: int = 16, nights: int = 60, missing: float = 0.05) -> pl.DataFrame:
    """Features with holes and artefacts, and a target; rows in any order."""
    rng = np.random.default_rng(seed)
    n = persons * nights
    person, day = np.divmod(np.arange(n), nights)
    state = np.repeat(rng.normal(size=persons * -(-nights // 10)), 10).reshape(persons, -1)[:, :nights].ravel()
    columns = {
        "subject_id": [f"P{seed}-{one}" for one in person],
        "night_date": [FIRST + timedelta(int(one)) for one in day],
    }
    for name, usual, spread in zip(FEATURES, (60.0, 15.0, 34.0), (2.0, 0.5, 0.3), strict=True):
        x = usual + spread * (rng.normal(size=persons)[person] + state + 0.3 * rng.normal(size=n))
        x[rng.random(n) < 0.02] = 3 * usual
        x[rng.random(n) < 0.02] += 8 * spread
        columns[name] = x
    target = np.where(rng.random(n) < missing, np.nan, state + 0.2 * rng.normal(size=n))
    frame = pl.DataFrame(columns | {TARGET: target}, nan_to_null=True)
    holes = [pl.when(pl.Series(rng.random(n) >= missing)).then(pl.col(name)).alias(name) for name in FEATURES]
    return frame.with_columns(holes).sample(fraction=1.0, shuffle=True, seed=seed)


def fitted(seed: int = 1, model: object = None) -> NightPipeline:
    frame = rows(seed)
    found: NightPipeline = pipeline(model).fit(frame.drop(TARGET), frame[TARGET].cast(pl.Float64).to_numpy())
    return found
