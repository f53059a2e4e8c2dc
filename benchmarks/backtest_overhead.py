"""What a backtest costs besides its fits: generated series, in this process, from the input file to scored Parquet.

    python benchmarks/backtest_overhead.py [--series 100] [--slow arima] [--slow-series 4] [--sizes 100 1000 10000]
        [--json FILE]

First seasonal naive over the sweep of W = {72, 168, 336} × R = {1, 2, 6, 24}, hourly origins over 7 days, 24 steps:
CPU seconds by stage, and rows of `forecasts` a CPU second. Then a slower model in the same sweep: its share of all CPU
that is spent inside fits and updates. Then the most memory of a small sweep over more and more series. Every case has a
process of its own, and its first run is not counted: it compiles and imports.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.one_core import confine

if __name__ == "__main__":
    confine()

import argparse
import json
import resource
import subprocess
import tempfile
import time
from collections import defaultdict
from typing import Any

import numpy as np
import polars as pl
import pyarrow.parquet as pq

from configs.backtest import BacktestSettings
from configs.read import load_as
from engine.events import BatchFinished, Event, PlanMade, RunFinished
from engine.results.open import scan
from jobs.backtest_run import carry_out
from jobs.sweep import prepare

DAYS, FEW_DAYS, AT_ONCE = 22, 10, 500
SWEEP: dict[str, Any] = {"windows_h": [72, 168, 336], "refits_h": [1, 2, 6, 24], "evaluate_h": 168, "horizon_h": 24}
SMALL: dict[str, Any] = {"windows_h": [72], "refits_h": [1, 24], "evaluate_h": 24, "horizon_h": 24}
STEPS = ("fits", "serving")


def generate(path: Path, series: int, days: int) -> None:
    """A long table of hourly heart rates with a daily rhythm; a twentieth of the hours is missing."""
    writer = None
    for first in range(0, series, AT_ONCE):
        rng, count, hours = np.random.default_rng(first), min(AT_ONCE, series - first), days * 24
        level = 60 + 8 * np.sin(np.arange(hours) * np.pi / 12) + rng.normal(0, 3, (count, hours))
        frame = pl.DataFrame(
            {
                "subject_id": np.repeat([f"S{first + number:06d}" for number in range(count)], hours),
                "vital": "hr_bpm",
                "ts": np.tile(np.arange(hours) * 3_600_000_000 + 1_700_006_400_000_000, count),
                "value": level.round(1).reshape(-1),
            }
        ).with_columns(pl.col("ts").cast(pl.Datetime("us", "UTC")))
        table = frame.filter(pl.Series(rng.random(frame.height) > 0.05)).to_arrow()
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    if writer is not None:
        writer.close()


class Clock:
    """CPU seconds by stage. Hears what happens: what came before an event belongs to the stage that it ends."""

    def __init__(self) -> None:
        self.spent: defaultdict[str, float] = defaultdict(float)
        self._step = -1
        self._last = time.process_time()

    def __call__(self, event: Event) -> None:
        if isinstance(event, PlanMade):
            self.tick("plan")
            self._step += 1
        elif isinstance(event, BatchFinished):
            self.tick(STEPS[self._step])
        elif isinstance(event, RunFinished):
            self.tick("commits")

    def tick(self, stage: str) -> None:
        now = time.process_time()
        self.spent[stage] += now - self._last
        self._last = now


def measure(source: Path, output: Path, model: str, sweep: dict[str, Any]) -> dict[str, Any]:
    """One backtest from the file to its last table."""
    told = {"series": [{"uri": str(source)}], "models": [model], "cluster": "in-process", "output": str(output)}
    clock = Clock()
    study = prepare(load_as(BacktestSettings, None, told | sweep), clock)
    served = carry_out(study, clock)
    clock.tick("scores")
    fits = scan(study.output, "fits", served.fits_id).select(pl.len(), pl.col("cpu_s").sum()).collect()
    total = sum(clock.spent.values())
    rows = int(served.summaries[-1].rows["forecasts"])
    return {
        "model": model,
        "series": study.how.index.height,
        "rows": rows,
        "fits": fits["len"][0],
        "cpu_s": total,
        "stages": dict(clock.spent),
        "rows_a_s": rows / total,
        "inside": fits["cpu_s"][0] / total,
        "ms_a_fit": 1000 * fits["cpu_s"][0] / fits["len"][0],
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def case(model: str, series: int, days: int, sweep: dict[str, Any]) -> dict[str, Any]:
    """`measure` in a process of its own, after one over two series."""
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        generate(root / "warm.parquet", 2, days)
        generate(root / "series.parquet", series, days)
        told = [str(root), model, json.dumps(sweep)]
        done = subprocess.run([sys.executable, __file__, "--one", *told], check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def one(root: str, model: str, sweep: str) -> None:
    for name in ("warm", "series"):
        result = measure(Path(root) / f"{name}.parquet", Path(root) / f"out-{name}", model, json.loads(sweep))
    print(json.dumps(result))


def shown(found: dict[str, Any]) -> str:
    stages = ", ".join(f"{stage} {spent:.2f}" for stage, spent in found["stages"].items())
    return (
        f"{found['model']}: {found['series']} series, {found['fits']} fits, {found['rows']} rows: "
        f"{found['cpu_s']:.2f} s of CPU ({stages}), {found['rows_a_s'] / 1e6:.2f} M rows a second, "
        f"{found['ms_a_fit']:.2f} ms a fit, {found['inside']:.1%} inside fits, at most {found['peak_mb']:.0f} MB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=100)
    parser.add_argument("--slow", default="arima")
    parser.add_argument("--slow-series", type=int, default=4)
    parser.add_argument("--sizes", type=int, nargs="*", default=[100, 1000, 10_000])
    parser.add_argument("--json", type=Path, help="write the result to this file too")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        one(*asked.one)
        return
    cases = [("seasonal_naive", asked.series, DAYS, SWEEP)] if asked.series else []
    cases += [(asked.slow, asked.slow_series, DAYS, SWEEP)] if asked.slow_series else []
    cases += [("seasonal_naive", size, FEW_DAYS, SMALL) for size in asked.sizes]
    found = []
    for number, told in enumerate(cases):
        found.append(case(*told))
        print(f"{number + 1}. {shown(found[-1])}", flush=True)
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
