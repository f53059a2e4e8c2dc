"""What a sweep costs and how well it forecasts, beside statsforecast.cross_validation once per configuration.

    python benchmarks/backtest_cost.py [--series 100] [--peer-series 2] [--every 7] [--parts cost accuracy slow]
        [--models …] [--slow-series 4] [--slow-origins 3] [--json FILE]

The sweep: windows 72, 168 and 336 h × refits every 1, 2, 6 and 24 h, hourly origins over 7 days, 24 steps, on the
first M4 hourly series. Ours is the evaluator that a run maps over its spans, rows of the tables included.

hot: SeasonalNaive, AutoTheta, AutoETS, Holt–Winters, MSTL + ETS. CPU of the library: every configuration, on the first
`--peer-series`; a series of ours is the mean over all. Accuracy: both sides at every n-th origin with refit 1 (the
library's other refits are wrong for ETS), on all series; MASE of each origin over all data up to it.
slow: automatic ARIMA and TBATS (forms daily), STLM with ARIMA, Theta, STL with drift. The library has no update for
some of these and takes hours: a fit is measured at `--slow-origins` of the first `--peer-series` for each window and
multiplied by the number of fits; what it does between refits counts as free.
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
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from benchmarks import forecast_peers
from benchmarks.forecast_peers import Floats, Sweep, cross
from benchmarks.m4 import DATA, HOURLY, series
from engine.backtest.fits.evaluate import Asked, evaluate
from engine.backtest.grid import Grid
from engine.backtest.models.registry import refer, spec
from engine.backtest.series.series import Series
from engine.backtest.sweep.counts import Counts, distinct, over, separate
from engine.backtest.sweep.cutoffs import last_cutoff
from engine.backtest.sweep.requests import Span

START = 480_000
"""Hour number of each series' first value: a midnight."""

WINDOWS, REFITS, ORIGINS, STEPS = (72, 168, 336), (1, 2, 6, 24), 168, 24
HOT = ("seasonal_naive", "auto_theta", "auto_ets", "holt_winters", "stlm_ets")
SLOW = ("auto_arima", "auto_tbats", "stlm_arima", "auto_theta", "stl_drift")
RESAMPLES = 4000
PARTS = ("cost", "accuracy", "slow")
GRID = Grid((), WINDOWS, REFITS, horizon_h=STEPS, evaluate_h=ORIGINS)


@dataclass
class Ours:
    """A model over all series: CPU seconds of each, fits by status, and MASE: (series, windows, refits)."""

    cpu_s: list[float] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)
    mase: list[Floats] = field(default_factory=list)


def known(y: Floats) -> Floats:
    """What the last origin may see: the steps after it are only scored."""
    return y[: y.size - STEPS + 1]


def sweep(name: str, values: Sequence[Floats], every_h: int = 1) -> Ours:
    """Every configuration of one model, as one unit of work a series."""
    (ref,) = refer([spec(name)])
    model, found = ref.load(), Ours()
    span = Span(START, START + 24 * 365)
    asked = Asked(name, ref.sha256, model, GRID, span)
    evaluate(Series("warm", "m4", START, known(values[0])[-400:]), asked, "warm")
    for y in values:
        begin = time.process_time()
        answered = evaluate(Series("one", "m4", START, known(y)), asked, "one")
        found.cpu_s.append(time.process_time() - begin)
        for status in answered.fits["status"].to_pylist():
            found.statuses[status] = found.statuses.get(status, 0) + 1
        found.mase.append(scored(y, answered.attempts, every_h))
    return found


def scored(y: Floats, attempts: Any, every_h: int) -> Floats:
    """(windows, refits) MASE over the origins that the library is asked for too."""
    rows = pl.from_arrow(attempts.select(["window_h", "cutoff", "origin", "mean"]))
    assert isinstance(rows, pl.DataFrame)
    hours = rows.select(pl.col("cutoff", "origin").dt.epoch("s") // 3600).to_numpy() - START
    path, window = rows["mean"].explode().to_numpy().reshape(-1, STEPS), rows["window_h"].to_numpy()
    error = errors(y, hours[:, 1], path)
    sampled = (y.size - STEPS - hours[:, 1]) % every_h == 0
    table = np.full((len(WINDOWS), len(REFITS)), np.nan)
    for i, held in enumerate(WINDOWS):
        for j, refit in enumerate(REFITS):
            mine = sampled & (window == held) & (last_cutoff(hours[:, 1], refit, 0) == hours[:, 0])
            table[i, j] = np.mean(error[mine]) if mine.any() else np.nan
    return table


def errors(y: Floats, origin: Any, path: Floats) -> Floats:
    """Mean absolute error of each path over the in-sample seasonal one of all data up to its origin; NaN where 0."""
    season = np.abs(y[24:] - y[:-24]).cumsum()
    scale = season[origin - 25] / (origin - 24)
    truth = y[origin[:, None] + np.arange(STEPS)]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(scale > 0, np.abs(truth - path).mean(axis=1) / scale, np.nan))


def peer_mase(name: str, values: Sequence[Floats], every_h: int) -> Floats:
    """(series, windows) MASE of the library with refit 1 at every n-th origin."""
    model, count = forecast_peers.models()[name], (ORIGINS - 1) // every_h + 1
    table = np.full((len(values), len(WINDOWS)), np.nan)
    for k, y in enumerate(values):
        origin = y.size - STEPS - every_h * np.arange(count - 1, -1, -1)
        for i, window in enumerate(WINDOWS):
            path = cross(model, [y], Sweep(window, 1, count, STEPS, every_h)).paths[0]
            table[k, i] = np.mean(errors(y, origin, path))
        if k % 10 == 9:
            print(f"  {name}: {k + 1} series of the library", file=sys.stderr, flush=True)
    return table


def peer_hot(name: str, values: Sequence[Floats]) -> float:
    """CPU seconds a series of the library over all configurations."""
    model = forecast_peers.models()[name]
    cross(model, [values[0][-200:]], Sweep(72, 1, 2, STEPS))
    asked = [Sweep(window, refit, ORIGINS, STEPS) for window in WINDOWS for refit in REFITS]
    return sum(cross(model, values, one).cpu_s for one in asked) / len(values)


def peer_slow(name: str, values: Sequence[Floats], origins: int) -> float:
    """CPU seconds a series of the library's fits over all configurations, from a few fits of each window."""
    model = forecast_peers.models()[name]
    cross(model, [values[0][-200:]], Sweep(72, 1, 1, STEPS))
    fits = apart().fits / len(WINDOWS)
    laps = [cross(model, values, Sweep(window, 1, origins, STEPS, ORIGINS // origins)).cpu_s for window in WINDOWS]
    return sum(lap / (origins * len(values)) * fits for lap in laps)


def apart() -> Counts:
    return separate([over(ORIGINS, 0, 1)], WINDOWS, REFITS)


def compare(ours: Floats, theirs: Floats) -> dict[str, float]:
    """Ratio of means and of medians over series, ours over theirs, with upper 95 % bounds of the bootstrap."""
    good = np.isfinite(ours) & np.isfinite(theirs)
    a, b = ours[good], theirs[good]
    picks = np.random.default_rng(0).integers(0, a.size, (RESAMPLES, a.size))
    mean, median = a[picks].mean(axis=1) / b[picks].mean(axis=1), np.median(a[picks], 1) / np.median(b[picks], 1)
    return {
        "series": float(a.size),
        "mean": float(a.mean()),
        "peer mean": float(b.mean()),
        "mean ratio": float(a.mean() / b.mean()),
        "≤ (95 %)": float(np.quantile(mean, 0.95)),
        "median": float(np.median(a)),
        "peer median": float(np.median(b)),
        "median ratio": float(np.median(a) / np.median(b)),
        "median ≤ (95 %)": float(np.quantile(median, 0.95)),
    }


def cost_rows(names: Sequence[str], ours: dict[str, Ours], theirs: dict[str, float]) -> list[dict[str, Any]]:
    made = distinct([over(ORIGINS, 0, 1)], len(WINDOWS), REFITS)
    rows = []
    for name in names:
        cpu_s, count = float(np.mean(ours[name].cpu_s)), sum(ours[name].statuses.values()) / len(ours[name].cpu_s)
        rows.append(
            {
                "model": name,
                "CPU s a series": cpu_s,
                "library": theirs[name],
                "times": theirs[name] / cpu_s,
                "fits": count,
                "library's fits": apart().fits,
                "ms a fit": 1000 * cpu_s / count,
                "library's": 1000 * theirs[name] / apart().fits,
                "statuses": ", ".join(f"{n} {status}" for status, n in sorted(ours[name].statuses.items())),
            }
        )
    mine, other = sum(row["CPU s a series"] for row in rows), sum(theirs[name] for name in names)
    total = {"model": "together", "CPU s a series": mine, "library": other, "times": other / mine}
    print(f"Distinct fits {made.fits}, separately {apart().fits}; forecasts {made.forecasts} for {apart().forecasts}.")
    return [*rows, dict.fromkeys(rows[0]) | total]


def accuracy_rows(
    names: Sequence[str], ours: dict[str, Ours], values: Sequence[Floats], every_h: int
) -> list[dict[str, Any]]:
    rows = []
    for name in names:
        mine, theirs = np.stack(ours[name].mase), peer_mase(name, values, every_h)
        for i, window in enumerate(WINDOWS):
            found = compare(mine[:, i, 0], theirs[:, i])
            good = found["≤ (95 %)"] <= 1.02 and found["median ≤ (95 %)"] <= 1.02
            others = {f"ours, refit {r}": float(np.nanmean(mine[:, i, j])) for j, r in enumerate(REFITS) if j}
            rows.append({"model": name, "window": window, **found, **others, "≤ 1.02": "yes" if good else "NO"})
        print(f"  {name} is compared", *rows[-len(WINDOWS) :], sep="\n    ", file=sys.stderr, flush=True)
    return rows


def show(title: str, rows: list[dict[str, Any]]) -> None:
    print(f"\n{title}")
    frame = pl.DataFrame(rows, infer_schema_length=None).with_columns(pl.selectors.float().round(3))
    with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_width_chars=240, tbl_hide_column_data_types=True, fmt_str_lengths=60):
        print(frame)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--series", type=int, default=100)
    parser.add_argument("--peer-series", type=int, default=2, help="series on which the library's cost is measured")
    parser.add_argument("--slow-series", type=int, default=4, help="series of ours for the slow models")
    parser.add_argument(
        "--slow-origins", type=int, default=3, help="origins at which the library's slow fits are timed"
    )
    parser.add_argument("--every", type=int, default=7, help="accuracy is compared at every n-th origin")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--models", nargs="+", choices=HOT, default=HOT, help="of the hot ones")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    values = [one.y for one in series(given.data, HOURLY, given.series)]
    result = dict[str, Any]()
    if {"cost", "accuracy"} & set(given.parts):
        ours = {name: sweep(name, values, given.every) for name in given.models}
    if "cost" in given.parts:
        theirs = {name: peer_hot(name, values[: given.peer_series]) for name in given.models}
        result["cost"] = cost_rows(given.models, ours, theirs)
        show(f"Cost of the hot models on {len(values)} series (library: {given.peer_series})", result["cost"])
        print(f"At least 20×: {'yes' if result['cost'][-1]['times'] >= 20 else 'NO'}", flush=True)
    if "accuracy" in given.parts:
        result["accuracy"] = accuracy_rows(given.models, ours, values, given.every)
        show("MASE with refit 1, ours over the library's", result["accuracy"])
    if "slow" in given.parts:
        some = values[: given.slow_series]
        slow = {name: sweep(name, some) for name in SLOW}
        theirs = {name: peer_slow(name, values[: given.peer_series], given.slow_origins) for name in SLOW}
        result["slow"] = cost_rows(SLOW, slow, theirs)
        show(f"Cost of the slow models on {len(some)} series (library: fits of {given.peer_series})", result["slow"])
        print(f"At least 15×: {'yes' if result['slow'][-1]['times'] >= 15 else 'NO'}")
    if given.json:
        given.json.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
