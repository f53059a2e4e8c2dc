"""Hourly vitals of a few people for a demonstration: a daily rhythm, a slow drift, noise that lasts, holes, a fever."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

FIRST = datetime(2026, 3, 1, tzinfo=UTC)
MISSING = 0.06
"""Share of the hours without a reading."""


def hourly(users: int, days: int, seed: int) -> pl.DataFrame:
    """A long table: subject_id, vital, ts (UTC), value; heart rate in bpm. Equal arguments give equal rows."""
    random = np.random.default_rng(seed)
    return pl.concat([_person(f"P{user + 1:02d}", days, user == 0, random) for user in range(users)])


def _person(subject: str, days: int, has_fever: bool, random: np.random.Generator) -> pl.DataFrame:
    hour = np.arange(24 * days)
    peak, height = random.uniform(14, 18), random.uniform(6, 11)
    rhythm = height * np.cos((hour - peak) / 24 * 2 * np.pi)
    lasting = np.zeros(hour.size)
    for k in range(1, hour.size):
        lasting[k] = 0.7 * lasting[k - 1] + random.normal(0, 1.6)
    fever = 14 * np.exp(-(((hour - 24 * (days - 2)) / 12) ** 2)) * has_fever
    value = random.uniform(58, 70) + rhythm + lasting + fever + np.cumsum(random.normal(0, 0.08, hour.size))
    kept = random.random(hour.size) >= MISSING
    return pl.DataFrame(
        {
            "subject_id": [subject] * int(kept.sum()),
            "vital": ["hr_bpm"] * int(kept.sum()),
            "ts": [FIRST + timedelta(hours=int(one)) for one in hour[kept]],
            "value": value[kept].round(1),
        }
    )
