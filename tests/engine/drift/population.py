"""Nights of people as they might be: a level of their own, nights that resemble the one before, weekends."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from engine.drift.days import Days, choose
from engine.drift.find import Drift, find
from engine.drift.nights import Nights
from engine.longitudinal.nights import READ
from engine.module import Table, column

FIRST = date(2026, 1, 1)
USERS, DAYS = 200, 60
FEATURES = {
    "enmo_mean": (5.0, 1.5, 2.0, "mg"),
    "hr_median": (60.0, 6.0, 3.0, "bpm"),
    "ln_rmssd": (3.7, 0.4, 0.2, "1"),
    "rr_median": (15.0, 1.5, 0.7, "brpm"),
    "tst_h": (7.0, 0.6, 1.0, "h"),
    "wst_median": (34.5, 0.4, 0.3, "Cel"),
}
"""Mean, standard deviation between people, and from night to night, unit."""
CODES = {"GAP": 0.2, "NONWEAR": 0.1, "PPG_LOW": 0.05}
MISSING = 0.1
DECLARED = Table(
    pa.schema(
        [
            *(column(field.name, field.type, "1", "as it says") for field in READ.schema if field.name not in FEATURES),
            *(column(name, pa.float64(), unit, "as it says") for name, (*_, unit) in FEATURES.items()),
            column("firmware", pa.string(), "1", "of the device"),
            column("reasons", pa.list_(pa.string()), "1", "codes"),
        ]
    ),
    ("subject_id", "night_date", "source_id"),
    ("subject_id", "night_date", "source_id"),
)


def people(seed: int, users: int = USERS, days: int = DAYS) -> pl.DataFrame:
    """One row a person and night; half of the people have firmware 2.0."""
    rng = np.random.default_rng(seed)
    person, day = (grid.ravel() for grid in np.meshgrid(np.arange(users), np.arange(days), indexing="ij"))
    columns: dict[str, Any] = {
        "subject_id": [f"P{one:03}" for one in person],
        "night_date": [FIRST + timedelta(int(one)) for one in day],
        "band": rng.choice(["A", "B", "C", "D"], users * days, p=[0.6, 0.25, 0.1, 0.05]),
        "firmware": np.where(person % 2, "2.0", "1.9"),
    }
    for name, (mean, between, within, _) in FEATURES.items():
        x = mean + between * rng.normal(size=users)[:, None] + within * _lasting(rng, users, days)
        x += 0.5 * within * (np.arange(days) % 7 > 4) * (name == "tst_h")
        columns[name] = np.where(rng.random((users, days)) < MISSING, np.nan, x).ravel()
    has = {code: rng.random(users * days) < share for code, share in CODES.items()}
    columns["reasons"] = [[code for code in CODES if has[code][i]] for i in range(users * days)]
    return pl.DataFrame(columns).with_columns(pl.col(pl.Float64).fill_nan(None))


def _lasting(rng: np.random.Generator, users: int, days: int) -> np.ndarray:
    """(users, days) of unit variance, each night 0.6 like the one before."""
    x = rng.normal(size=(users, days))
    for i in range(1, days):
        x[:, i] = 0.6 * x[:, i - 1] + 0.8 * x[:, i]
    return x


def nights_of(frame: pl.DataFrame, days: Days) -> Nights:
    """As if read from an output."""
    held = frame.filter(pl.col("night_date").is_between(days.whole.first, days.whole.last))
    features = tuple(sorted(name for name, kind in held.schema.items() if kind.is_numeric()))
    return Nights(held.lazy(), held, pl.Series(range(held.height)), features)


def drift_of(frame: pl.DataFrame, *groups: str, windows: tuple[int, ...] = (1, 7)) -> Drift:
    newest = frame["night_date"].max()
    assert isinstance(newest, date)
    days = choose(newest, windows)
    return find(nights_of(frame, days), days, groups)


def rows(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """As rows of `nights`."""
    name = pl.format("{}/{}", "subject_id", "night_date")
    return frame.with_columns(source_id=name, night_score=pl.lit(90.0), recorded_h=pl.lit(8.0)).to_dicts()


def since(days_back: int) -> pl.Expr:
    """The last so many days of a population of `DAYS`."""
    return pl.col("night_date") > FIRST + timedelta(DAYS - 1 - days_back)
