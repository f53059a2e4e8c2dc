"""The tables of a small backtest: six subjects, two vitals, three models, one with two windows, one with two refits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from engine.backtest.scores.findings import Asked
from tests.engine.backtest.scores import world

ASKED = Asked(draws=20)
START = datetime(2024, 3, 1, tzinfo=UTC)
ORIGINS = 40
SPREAD = {
    world.configuration("ets", 24): 1.0,
    world.configuration("ets", None): 1.1,
    world.configuration("theta", 24): 1.5,
    world.configuration("theta", 24, 3): 1.6,
    world.configuration("seasonal_naive", 24): 3.0,
}


def frames() -> dict[str, pl.LazyFrame]:
    rng = np.random.default_rng(0)
    series, forecasts = {}, []
    for subject in ("s0", "s1", "s2", "s3", "s4", "s5"):
        for vital, level in (("hr_bpm", 100.0), ("spo2_pct", 94.0)):
            y = level + rng.normal(0, 6, (ORIGINS, world.STEPS))
            base = y + rng.normal(0, 3, y.shape)
            by = {}
            for one, spread in SPREAD.items():
                yhat = base if one.model == "seasonal_naive" else y + rng.normal(0, spread, y.shape)
                by[one] = world.rows(y, yhat, base)
                forecasts.append(_forecasts(subject, vital, one, y, yhat))
            series[subject, vital] = by
    held = world.tables(series)
    held["forecasts"] = pl.concat(forecasts).lazy()
    held["fits"] = _fits().lazy()
    held["origins"] = pl.DataFrame({"status": ["ok"] * 30 + ["stale_data"] * 2}).lazy()
    return held


def _forecasts(subject: str, vital: str, one: world.Configuration, y: np.ndarray, yhat: np.ndarray) -> pl.DataFrame:
    origin, step = np.indices(y.shape)
    return pl.DataFrame({"y": y.ravel(), "yhat": yhat.ravel(), "step": step.ravel() + 1}).with_columns(
        subject_id=pl.lit(subject),
        vital=pl.lit(vital),
        model=pl.lit(one.model),
        window_h=pl.lit(one.window_h, pl.Int64),
        refit_h=pl.lit(one.refit_h, pl.Int64),
        policy=pl.lit(str(one.policy)),
        status=pl.lit("ok"),
        served_by=pl.lit("fit"),
        age_h=pl.Series(origin.ravel() % 3, dtype=pl.Int64),
        origin=pl.Series([START + timedelta(hours=int(h)) for h in origin.ravel()]),
        ts=pl.Series([START + timedelta(hours=int(h)) for h in (origin * world.STEPS + step).ravel()]),
    )


def _fits() -> pl.DataFrame:
    parts = []
    fitted = [one for one in SPREAD if one.refit_h == 1]
    for one, cpu_s in zip(fitted, (0.2, 0.3, 0.02, 0.0001), strict=True):
        n = ORIGINS
        bad = np.arange(n) % 4 == 0 if one.model == "theta" else np.zeros(n, bool)
        parts.append(
            pl.DataFrame(
                {
                    "model": [one.model] * n,
                    "window_h": pl.Series([one.window_h] * n, dtype=pl.Int64),
                    "cutoff": [START + timedelta(hours=h) for h in range(n)],
                    "role": ["asked"] * n,
                    "cpu_s": [cpu_s] * n,
                    "status": np.where(bad, "error", "ok"),
                    "error_class": [("LinAlgError" if b else None) for b in bad],
                    "error_message": [("did not converge <at all>" if b else None) for b in bad],
                },
                schema_overrides={"error_class": pl.String, "error_message": pl.String},
            ).with_columns(cutoff=pl.col("cutoff").dt.cast_time_unit("us"))
        )
    return pl.concat(parts)
