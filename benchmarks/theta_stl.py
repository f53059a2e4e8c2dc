"""Theta and STL models against statsforecast on M4 hourly series: time a fit and MASE of a rolling sweep, in one run.

    python benchmarks/theta_stl.py [--series 24] [--origins 24] [--models theta,stlm_ets] [--data FOLDER]

Every fit is made at each of the last origins, two hours apart, for each window; both sides see the same slices and
forecast 24 hours. Ours start from the day's first fit and choose their form there, as in a backtest; the library fits
each anew. Our time is that of a sweep over a week, a fit an hour, divided by its fits. The bound is the upper 95 %
quantile of the ratio over resampled series, of the mean and of the median.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.one_core import confine

if __name__ == "__main__":
    confine()

import argparse
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from engine.backtest.contract import COLD, Fits, Floats, Ints, Sweeping
from engine.backtest.models.auto_theta import AutoTheta
from engine.backtest.models.dynamic_optimized_theta import DynamicOptimizedTheta
from engine.backtest.models.stl_drift import STLDrift
from engine.backtest.models.stl_naive import STLNaive
from engine.backtest.models.stlm_ets import STLMEts
from engine.backtest.models.theta import Theta
from kernels.stl import stl

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "forecast"
WINDOWS, SEASON, STEPS, WEEK, ALLOWED = (72, 168, 336), 24, 24, 168, 1.02


@dataclass(frozen=True)
class Pair:
    """A model of ours and what makes its peer."""

    ours: Sweeping
    peer: Callable[[], Any]


@dataclass
class Side:
    """Mean absolute errors over Q, (series, origins), and CPU seconds of each fit with its forecast."""

    errors: list[Floats]
    seconds: list[float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=24)
    parser.add_argument("--origins", type=int, default=24)
    parser.add_argument("--models", help="names, separated by commas; all if left out")
    parser.add_argument("--data", type=Path, default=DATA)
    asked = parser.parse_args()
    series = sample(asked.data, asked.series)
    print(f"{len(series)} M4 hourly series × {asked.origins} origins × windows {WINDOWS}\n")
    for window in WINDOWS:
        print(f"STL alone, window {window}: {stl_times(series, window)}")
    print(f"\n{'model':<26}{'window':>7}{'ms ours':>9}{'ms peer':>9}{'MASE ours':>16}{'peer':>16}{'bounds':>16}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for pair in pairs(asked.models.split(",") if asked.models else None):
            for window in WINDOWS:
                print(line(pair, window, *compare(pair, series, window, asked.origins)))


def sample(data: Path, count: int) -> list[Floats]:
    """Every so-manieth series, whole."""
    frame = pl.read_parquet(data / "m4_hourly_train.parquet").sort("id", "t")
    whole = frame.group_by("id", maintain_order=True).agg("y")["y"].to_list()
    return [np.array(whole[k], np.float64) for k in np.linspace(0, len(whole) - 1, count).astype(int)]


def pairs(names: list[str] | None) -> list[Pair]:
    from statsforecast import models as peers

    def stlm(trend: Any) -> Callable[[], Any]:
        return lambda: peers.MSTL(SEASON, trend_forecaster=trend)

    every = [
        Pair(Theta(), lambda: peers.Theta(SEASON)),
        Pair(DynamicOptimizedTheta(), lambda: peers.DynamicOptimizedTheta(SEASON)),
        Pair(AutoTheta(), lambda: peers.AutoTheta(SEASON)),
        Pair(STLNaive(), stlm(peers.Naive())),
        Pair(STLDrift(), stlm(peers.RandomWalkWithDrift())),
        Pair(STLMEts(), stlm(peers.AutoETS(model="ZZN"))),
    ]
    return [pair for pair in every if names is None or pair.ours.name in names]


def compare(pair: Pair, series: list[Floats], window: int, origins: int) -> tuple[Side, Side]:
    ours, peer = Side([], []), Side([], [])
    for y in series:
        cuts = np.arange(origins) * 2 + (y.size - STEPS - 2 * origins) // 24 * 24
        actual = y[cuts[:, None] + np.arange(STEPS)]
        scales = np.array([np.abs(y[SEASON:cut] - y[: cut - SEASON]).mean() for cut in cuts])
        for side, forecasts in (
            (ours, swept(pair.ours, y, window, cuts, ours)),
            (peer, fitted(pair, y, window, cuts, peer)),
        ):
            side.errors.append(np.abs(actual - forecasts).mean(axis=1) / scales)
    return ours, peer


def swept(model: Sweeping, y: Floats, window: int, cuts: Ints, side: Side) -> Floats:
    """Forecasts; and the least time of three sweeps with a fit at every hour of the last week."""
    hours = np.arange(y.size - STEPS - WEEK, y.size - STEPS)
    taken = []
    for _ in range(3):
        begun = time.process_time()
        model.sweep(y, star(hours, window))
        taken.append((time.process_time() - begun) / WEEK)
    side.seconds.append(min(taken))
    return model.sweep(y, star(cuts, window)).paths.mean


def star(cuts: Ints, window: int) -> Fits:
    """A fit and a forecast at each cutoff; the first of each day is the others' anchor and chooses their form."""
    days = cuts // 24
    anchor = np.searchsorted(days, days)
    own = np.arange(cuts.size)
    return Fits(
        cuts - window, cuts, np.arange(cuts.size + 1), cuts, np.where(anchor == own, COLD, anchor), anchor,
        ("",) * cuts.size, STEPS, 200,
    )  # fmt: skip


def fitted(pair: Pair, y: Floats, window: int, cuts: Ints, side: Side) -> Floats:
    rows = []
    for cut in cuts:
        begun = time.process_time()
        rows.append(pair.peer().forecast(y[cut - window : cut], STEPS)["mean"])
        side.seconds.append(time.process_time() - begun)
    return np.array(rows, np.float64)


def line(pair: Pair, window: int, ours: Side, peer: Side) -> str:
    a, b = (np.array([row.mean() for row in side.errors]) for side in (ours, peer))
    draws = np.random.default_rng(0).integers(0, a.size, (4000, a.size))
    bounds = [float(np.quantile(of(a[draws], axis=1) / of(b[draws], axis=1), 0.95)) for of in (np.mean, np.median)]
    verdict = "" if max(bounds) <= ALLOWED else "  over"
    return (
        f"{pair.ours.name:<26}{window:>7}{1e3 * np.median(ours.seconds):>9.4f}{1e3 * np.median(peer.seconds):>9.3f}"
        f"{a.mean():>8.3f}{np.median(a):>8.3f}{b.mean():>8.3f}{np.median(b):>8.3f}{bounds[0]:>8.3f}{bounds[1]:>8.3f}"
        f"{verdict}"
    )


def stl_times(series: list[Floats], window: int) -> str:
    from statsmodels.tsa.seasonal import STL

    ours, peer, apart = [], [], 0.0
    for y in series:
        piece = np.ascontiguousarray(y[-window:])
        begun = time.process_time()
        for _ in range(50):
            mine = stl(piece, SEASON)[0]
        ours.append((time.process_time() - begun) / 50)
        begun = time.process_time()
        theirs = STL(piece, period=SEASON, seasonal=11, seasonal_deg=0).fit().seasonal
        peer.append(time.process_time() - begun)
        apart = max(apart, float(np.abs(mine - theirs).max() / np.abs(piece).max()))
    return (
        f"{1e3 * np.median(ours):.4f} ms, statsmodels {1e3 * np.median(peer):.3f} ms, apart by {apart:.1e} of the level"
    )


if __name__ == "__main__":
    main()
