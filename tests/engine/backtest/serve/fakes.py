"""Fits and attempts of two made-up models, exactly those that the sweep plans, and series to go with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from engine.backtest.grid import Configuration, Grid, ModelSpec, Policy
from engine.backtest.series.hourly import HOUR_US
from engine.backtest.series.series import Series
from engine.backtest.serve.observed import Observed, observe
from engine.backtest.sweep.cutoffs import configurations, demand, distinct
from engine.backtest.tables import ATTEMPTS, FITS
from engine.module import Table

MODELS = ("drift", "level", "wild")
START = 24 * 18_000
Fates = Mapping[tuple[str, int | None, int], str]
"""Status of fits by (model, window, cutoff); `ok` where nothing is said."""


def series(hours: int = 260, seed: int = 0, subject: str = "s1", vital: str = "hr_bpm", gaps: bool = True) -> Series:
    rng = np.random.default_rng(seed)
    t = np.arange(hours)
    values = 70 + 12 * np.sin(2 * np.pi * t / 24) + rng.normal(0, 3, hours)
    if gaps:
        values[rng.random(hours) < 0.05] = np.nan
        values[150:152] = np.nan
    values[[0, -1]] = 70.0, 71.0
    return Series(subject, vital, START, values)


def grid(**changes: object) -> Grid:
    given = {
        "models": tuple(ModelSpec(name, "") for name in MODELS),
        "windows_h": (48, None),
        "refits_h": (1, 6),
        "policies": (Policy.UPDATE, Policy.STALE),
        "horizon_h": 8,
        "evaluate_h": 96,
        **changes,
    }
    return Grid(**given)  # type: ignore[arg-type]


def configured(swept: Grid) -> tuple[Configuration, ...]:
    return tuple(one for spec in swept.models for one in configurations(swept, spec.name, True))


def troubles(swept: Grid, origins: Sequence[int], seed: int, share: float = 0.25) -> Fates:
    """Failures at random, in runs, and one model without history at first."""
    rng = np.random.default_rng(seed)
    fates: dict[tuple[str, int | None, int], str] = {}
    for spec in swept.models:
        for window in swept.windows_h:
            bad = ""
            for cutoff in range(min(origins) - 48, max(origins) + 1):
                draw = rng.random()
                if draw < share / 2:
                    bad = str(rng.choice(["error", "nonfinite", "timeout_hard", "quarantined", "constant"]))
                elif draw < share:
                    bad = ""
                if bad:
                    fates[spec.name, window, cutoff] = bad
                if spec.name == "level" and cutoff < min(origins) + 5:
                    fates[spec.name, window, cutoff] = "too_short"
    return fates


@dataclass(frozen=True)
class Fake:
    fits: pa.Table
    attempts: pa.Table
    observed: Observed


def run(one: Series, swept: Grid, fates: Fates | None = None, work_key: str = "w") -> Fake:
    """What the fits step would store. Every path is a function of what was known at its origin."""
    observed = observe(one, swept)
    usable = observed.origins[observed.usable]
    asked = demand(swept, True, usable)
    made = distinct(asked)
    fits, attempts = [], []
    for spec in swept.models:
        for window in swept.windows_h:
            name = {"subject_id": one.subject_id, "vital": one.vital, "model": spec.name, "window_h": window}
            for cutoff in np.unique(asked.cutoff).tolist():
                fate = (fates or {}).get((spec.name, window, cutoff), "ok")
                fit_id = f"{spec.name}-{window}-{cutoff - START}"
                fits.append({**name, "work_key": work_key, "fit_id": fit_id, "status": fate, "train_start": 0})
                fits[-1] |= {"cutoff": cutoff * HOUR_US, "cpu_s": 0.001 * (cutoff % 7)}
            rows = zip(made.cutoff.tolist(), made.origin.tolist(), made.latest.tolist(), strict=True)
            for cutoff, origin, latest in rows:
                if (fates or {}).get((spec.name, window, cutoff), "ok") not in ("ok", "constant"):
                    continue
                mean = path(one, spec.name, window, cutoff, origin, latest - origin + swept.horizon_h)
                spread = None if spec.name == "level" else 2.0
                attempts.append({**name, "work_key": work_key, "fit_id": f"{spec.name}-{window}-{cutoff - START}"})
                attempts[-1] |= {"cutoff": cutoff * HOUR_US, "origin": origin * HOUR_US, "lead_h": 0, "mean": mean}
                attempts[-1] |= {side: None if spread is None else [v + sign * spread for v in mean]
                                 for side, sign in (("low", -1), ("high", 1))}  # fmt: skip
    return Fake(table(FITS, fits), table(ATTEMPTS, attempts), observed)


def path(one: Series, model: str, window: int | None, cutoff: int, origin: int, steps: int) -> list[float]:
    """Something that depends on everything it may, and on nothing else."""
    past = one.values[: origin - START]
    seen = past[np.isfinite(past)]
    trained = one.values[max(0, cutoff - START - (window or 10_000)) : cutoff - START]
    level = float(np.nanmean(trained)) if model != "drift" else float(seen[-1])
    if model == "wild":
        level += 40.0 * ((cutoff // 5) % 4) * (-1) ** (cutoff % 2)  # beyond 250 never, below 25 at times
    return [level + 0.1 * j + 0.01 * (origin - cutoff) for j in range(steps)]


def table(declared: Table, rows: Sequence[Mapping[str, object]]) -> pa.Table:
    names = declared.schema.names
    return pa.Table.from_pylist([{name: row.get(name) for name in names} for row in rows], schema=declared.schema)
