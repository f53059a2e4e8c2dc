"""Small backtests for tests: series, settings, and what two equal outputs have in common."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from click.testing import CliRunner

from configs.backtest import BacktestSettings
from configs.read import load_as
from engine.events import ignore
from engine.results.open import scan, tables
from engine.schemas import RUN_TIME_COLUMNS
from engine.storage import Store
from engine.tables.digest import Digest, digest
from jobs.backtest_run import Served, carry_out
from jobs.cli import cli
from jobs.sweep import Backtest, prepare

MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC)
SMALL: dict[str, Any] = {
    "models": ["seasonal_naive", "naive"],
    "windows_h": [48, 72],
    "refits_h": [1, 6],
    "policies": ["update", "stale"],
    "horizon_h": 6,
    "evaluate_h": 48,
    "cluster": "in-process",
    "serving": {"ensembles": [{"name": "median"}], "least_errors": 5},
}


def write_series(path: Path, users: int = 3, days: int = 8, vitals: tuple[str, ...] = ("hr_bpm",)) -> pl.DataFrame:
    """A long table of hourly readings with a daily rhythm and a few gaps; written to `path`."""
    random = np.random.default_rng(7)
    frames = []
    for user in range(users):
        for vital in vitals:
            hours = np.arange(24 * days)
            value = 70 + 8 * np.sin(hours / 24 * 2 * np.pi + user) + random.normal(0, 2, hours.size)
            kept = random.random(hours.size) < 0.95
            ts = [MIDNIGHT + timedelta(hours=int(hour)) for hour in hours[kept]]
            frames.append(pl.DataFrame({"subject_id": f"P{user}", "vital": vital, "ts": ts, "value": value[kept]}))
    frame = pl.concat(frames)
    frame.write_parquet(path)
    return frame


def settings(source: Path, output: Path, **changed: Any) -> BacktestSettings:
    told = SMALL | {"series": [{"uri": str(source)}], "output": str(output)} | changed
    return load_as(BacktestSettings, None, told)


def backtest(source: Path, output: Path, **changed: Any) -> tuple[Backtest, Served]:
    """A whole backtest in this process."""
    study = prepare(settings(source, output, **changed))
    return study, carry_out(study, ignore)


def rows(output: Path, name: str) -> pl.DataFrame:
    return scan(Store(output), name).collect()


def digests(output: Path) -> dict[str, Digest]:
    """Of every table that a clock does not decide."""
    timed = (*RUN_TIME_COLUMNS, "cpu_s", "wall_s")
    names = [name for name in tables(Store(output)) if name not in ("runs", "dictionary")]
    return {name: digest(rows(output, name).drop(timed, strict=False)) for name in names}


def run(*words: str) -> tuple[int, str]:
    """A command: its exit code and what it printed."""
    done = CliRunner().invoke(cli, list(words), catch_exceptions=False, standalone_mode=False)
    return int(done.return_value or 0), done.output
