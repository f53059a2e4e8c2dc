"""The end of `nightmill demo`: a small backtest of generated vitals."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from configs.backtest import BacktestSettings
from configs.read import load_as
from engine.simulate.vitals import hourly
from jobs import backtest_report
from jobs.backtest_run import carry_out
from jobs.leaders import show_leaders
from jobs.progress import RunProgress
from jobs.sweep import prepare
from jobs.sweep_plan import show_sweep

PEOPLE, DAYS = 4, 22
SETTINGS = {
    "models": ["seasonal_naive", "naive", "window_average"],
    "windows_h": [168, 336],
    "refits_h": [1, 24],
    "evaluate_h": 96,
    "cluster": "in-process",
    "serving": {"ensembles": [{"name": "median"}]},
}
KERNELS = ("engine.backtest.fits.work", "engine.backtest.serve.work", "engine.backtest.models.window_average")
"""Modules whose kernels it needs. Models that compile for seconds have no place in a first minute."""


def backtest(console: Console, folder: Path, seed: int) -> None:
    """What `nightmill backtest` does, over heart rates of a few people."""
    console.rule("nightmill backtest", align="left")
    (folder / "vitals").mkdir(exist_ok=True)
    hourly(PEOPLE, DAYS, seed).write_parquet(folder / "vitals" / "hourly.parquet")
    told = {"series": [{"uri": str(folder / "vitals" / "hourly.parquet")}], "output": str(folder / "backtest")}
    with RunProgress(console, "span") as progress:
        study = prepare(load_as(BacktestSettings, None, SETTINGS | told), progress)
        show_sweep(console, study, 1)
        served = carry_out(study, progress)
    report = backtest_report.make(study.output, served.serve_id, served.fits_id)
    show_leaders(console, report.found.board)
    study.output.write(backtest_report.NAME, report.page.encode())
