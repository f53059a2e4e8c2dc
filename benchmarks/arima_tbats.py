"""ARIMA, TBATS, STL with ARIMA, CES and MFLES on M4 hourly series against statsforecast's versions, in one run.

    python benchmarks/arima_tbats.py [--series 20] [--windows 72,168,336] [--limit 60] [--data ../shared/data/forecast]

Both sides see the same slice and forecast the same 24 hours. Ours: CPU milliseconds to choose a form, to fit it cold,
to fit the next hour's slice from there (warm), and to forecast from 24 origins in one pass. Peer: of a fit and one
forecast. MASE: mean / median over series that both sides finished. A peer's fit is given up after `--limit` seconds.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.one_core import confine

if __name__ == "__main__":
    confine()

import argparse
import signal
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from engine.backtest.contract import FitError, Floats, Model
from engine.backtest.models.arima import Arima
from engine.backtest.models.auto_arima import AutoArima
from engine.backtest.models.auto_tbats import AutoTbats
from engine.backtest.models.ces import Ces
from engine.backtest.models.mfles import Mfles
from engine.backtest.models.regressor import Regressor
from engine.backtest.models.stlm_arima import STLMArima
from engine.backtest.models.tbats import Tbats

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "forecast"
STEPS, BUDGET = 24, 200


@dataclass
class Tally:
    """Of one model and window: CPU milliseconds of each part, absolute errors over Q of both sides, and what failed."""

    parts: dict[str, list[float]] = field(default_factory=dict)
    errors: list[tuple[float, float]] = field(default_factory=list)
    failed: int = 0
    given_up: int = 0

    def timed(self, part: str, call: Callable[[], Any]) -> Any:
        begin = time.process_time()
        result = call()
        self.parts.setdefault(part, []).append(1e3 * (time.process_time() - begin))
        return result


class GivenUp(Exception):
    """The peer's time is over."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=20)
    parser.add_argument("--windows", default="72,168,336")
    parser.add_argument("--limit", type=int, default=60)
    parser.add_argument("--models", default="")
    parser.add_argument("--data", type=Path, default=DATA)
    asked = parser.parse_args()
    series = sample(asked.data, asked.series)
    signal.signal(signal.SIGALRM, give_up)
    print(f"{len(series)} M4 hourly series, one core, CPU ms (median a fit)\n")
    heads = ("select", "cold", "warm", "24 origins", "peer")
    print(
        f"{'model':<12}{'window':>7}"
        + "".join(f"{head:>11}" for head in heads)
        + f"{'MASE ours':>17}{'peer':>15}  failed"
    )
    warnings.simplefilter("ignore")
    for name, (model, peer) in pairs().items():
        if not asked.models or name in asked.models.split(","):
            for window in map(int, asked.windows.split(",")):
                show(name, window, heads, compare(model, peer, series, window, asked.limit))


def pairs() -> dict[str, tuple[Model, Callable[[], Any] | None]]:
    from statsforecast import models as peers

    return {
        "arima": (Arima(), lambda: peers.ARIMA((1, 0, 1), season_length=24, seasonal_order=(0, 1, 1))),
        "auto_arima": (AutoArima(), lambda: peers.AutoARIMA(season_length=24, approximation=True)),
        "tbats": (Tbats(), lambda: peers.TBATS(24, use_boxcox=False, use_trend=True, use_damped_trend=True)),
        "auto_tbats": (AutoTbats(), lambda: peers.AutoTBATS(24)),
        "stlm_arima": (STLMArima(), lambda: peers.MSTL(24, trend_forecaster=peers.AutoARIMA())),
        "ces": (Ces(), lambda: peers.AutoCES(24)),
        "mfles": (Mfles(), lambda: peers.MFLES(24)),
        "regressor": (Regressor(), None),
    }


def sample(data: Path, count: int) -> list[Floats]:
    """Every so-manieth series, whole."""
    rows = pl.read_parquet(data / "m4_hourly_train.parquet").group_by("id", maintain_order=True).agg(pl.col("y"))
    return [np.array(y, np.float64) for y in rows["y"].to_list()[:: max(1, rows.height // count)][:count]]


def give_up(*_: object) -> None:
    raise GivenUp


def compare(model: Model, peer: Callable[[], Any] | None, series: list[Floats], window: int, limit: int) -> Tally:
    tally = Tally()
    for y in series:
        cut = y.size - STEPS - 1
        train, truth = y[cut - window : cut], y[cut : cut + STEPS]
        scale = np.mean(np.abs(y[24:cut] - y[: cut - 24]))
        try:
            ours = learn(model, tally, y, cut, window)
            theirs = ours
            if peer is not None:
                signal.alarm(limit)
                theirs = tally.timed("peer", lambda: peer().forecast(train, STEPS)["mean"])  # noqa: B023
                signal.alarm(0)
        except GivenUp:
            tally.given_up += 1
            continue
        except (FitError, Exception):  # noqa: BLE001 - either side may raise anything
            signal.alarm(0)
            tally.failed += 1
            continue
        if np.isfinite(theirs).all():
            tally.errors.append(tuple(float(np.mean(np.abs(path - truth)) / scale) for path in (ours, theirs)))
    return tally


def learn(model: Model, tally: Tally, y: Floats, cut: int, window: int) -> Floats:
    """Everything of ours at one cutoff and the next; the forecast at the first."""
    train, after = y[cut - window : cut], y[cut : cut + STEPS]
    form = tally.timed("select", lambda: model.select(train, BUDGET)) if model.selects else ""
    fitted = tally.timed("cold", lambda: model.fit(train, form, None, BUDGET))
    tally.timed("warm", lambda: model.fit(y[cut - window + 1 : cut + 1], form, fitted.params, BUDGET))
    at = np.arange(24) if model.updates else np.zeros(24, np.int64)
    paths = tally.timed("24 origins", lambda: model.predict(fitted.params, after, at, STEPS))
    return np.asarray(paths.mean[0])


def show(name: str, window: int, heads: tuple[str, ...], tally: Tally) -> None:
    times = [f"{np.median(tally.parts[head]):11.2f}" if head in tally.parts else f"{'–':>11}" for head in heads]
    ours, theirs = np.array(tally.errors).reshape(-1, 2).T
    scores = [f"{np.mean(side):.3f} / {np.median(side):.3f}" if side.size else "–" for side in (ours, theirs)]
    scores[1] = scores[1] if "peer" in tally.parts else "–"
    lost = f"{tally.failed} failed, {tally.given_up} given up" if tally.failed or tally.given_up else ""
    print(f"{name:<12}{window:>7}" + "".join(times) + f"{scores[0]:>17}{scores[1]:>15}  {lost}", flush=True)


if __name__ == "__main__":
    main()
