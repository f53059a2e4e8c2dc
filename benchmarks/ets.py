"""The exponential smoothing family against statsforecast on M4 hourly series: time a fit and MASE, in one run.

    python benchmarks/ets.py [--series 24] [--origins 8] [--data ../shared/data/forecast]

First what one fit costs: cold, warm (from the parameters of a fit a day earlier) and, for AutoETS, choosing a form;
medians over series. Then the rolling sweep of benchmarks/theta_stl.py: the same slices on both sides, 24 steps; ours
start from the day's first fit and choose their form there, the library fits each anew.
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

import numpy as np

from benchmarks.theta_stl import DATA, SEASON, WINDOWS, Pair, compare, line, sample
from engine.backtest.contract import COLD, Fits, Floats, Sweeping
from engine.backtest.models.auto_ets import AutoETS
from engine.backtest.models.ets import ETS
from engine.backtest.models.holt_winters import HoltWinters

REPEATS = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=24)
    parser.add_argument("--origins", type=int, default=8)
    parser.add_argument("--data", type=Path, default=DATA)
    asked = parser.parse_args()
    series = sample(asked.data, asked.series)
    print(f"{len(series)} M4 hourly series × {asked.origins} origins × windows {WINDOWS}\n")
    print(f"{'ms':<26}{'window':>7}{'cold':>9}{'warm':>9}{'select':>9}{'evaluations cold':>18}{'warm':>6}")
    for model in (ETS("ANA"), ETS(), ETS("AAdA"), HoltWinters(), AutoETS()):
        for window in WINDOWS:
            print(costs(model, series, window))
    print(f"\n{'model':<26}{'window':>7}{'ms ours':>9}{'ms peer':>9}{'MASE ours':>16}{'peer':>16}{'bounds':>16}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for pair in pairs():
            for window in WINDOWS:
                print(line(pair, window, *compare(pair, series, window, asked.origins)), flush=True)


def pairs() -> list[Pair]:
    from statsforecast import models as peers

    return [
        Pair(ETS(), lambda: peers.AutoETS(SEASON, model="AAA", damped=False)),
        Pair(HoltWinters(), lambda: peers.HoltWinters(SEASON)),
        Pair(AutoETS(), lambda: peers.AutoETS(SEASON)),
    ]


def costs(model: Sweeping, series: list[Floats], window: int) -> str:
    """A cold sweep is fits of one slice; in a warm one all but the first, not counted, begin at the day before."""
    cold, warm, select, many, few = [], [], [], [], []
    for y in series:
        form = model.select(y[-window:], 200) if model.selects else ""
        if model.selects:
            select.append(seconds(lambda y=y: model.select(y[-window:], 200)))
        ends = np.array([y.size - SEASON] + [y.size] * REPEATS)
        for anchors, times, counts in (
            (np.full(REPEATS + 1, COLD), cold, many),
            (np.array([COLD] + [0] * REPEATS), warm, few),
        ):
            fits = Fits(
                ends - window, ends, np.arange(REPEATS + 2), ends, anchors, np.full(REPEATS + 1, COLD),
                (form,) * (REPEATS + 1), SEASON, 200,
            )  # fmt: skip
            alone = Fits(
                fits.start[:1],
                fits.end[:1],
                fits.first[:2],
                fits.at[:1],
                anchors[:1],
                anchors[:1],
                (form,),
                SEASON,
                200,
            )
            whole = seconds(lambda y=y, fits=fits: model.sweep(y, fits))
            times.append((whole - seconds(lambda y=y, alone=alone: model.sweep(y, alone))) / REPEATS)
            counts.append(model.sweep(y, fits).evaluations[1])
    ms = [1e3 * float(np.median(times)) if times else float("nan") for times in (cold, warm, select)]
    name = model.name + (f" {model.form}" if isinstance(model, ETS) else "")
    return f"{name:<26}{window:>7}" + "".join(f"{x:>9.3f}" for x in ms) + f"{np.mean(many):>18.1f}{np.mean(few):>6.1f}"


def seconds(work: Callable[[], object]) -> float:
    """CPU time of the fastest of three."""
    best = float("inf")
    for _ in range(3):
        begun = time.process_time()
        work()
        best = min(best, time.process_time() - begun)
    return best


if __name__ == "__main__":
    main()
