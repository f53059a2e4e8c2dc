"""M4 hourly and weekly: nightmill's models against the published scores and against statsforecast in the same run.

    python benchmarks/m4.py [--series 414] [--arima 40] [--data ../shared/data/forecast] [--json FILE]

One fit a series on its whole history, forecast once, through the model contract. sMAPE and MASE as the organisers
compute them, mean over series (frequency 24 of hourly, 1 of weekly series). Fewer than all series: the published
scores do not apply, and the verdicts say so.
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
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from engine.backtest.contract import FitError, Floats, Model
from engine.backtest.models.registry import load_model
from engine.backtest.scores.metrics import mase, seasonal_scale, smape

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "forecast"
EVALUATIONS = 200
ARIMA_STEP = 10
"""The sample of AutoARIMA is every tenth hourly series: H1, H11, …"""


@dataclass(frozen=True)
class Task:
    """One frequency of M4. season: as the organisers take it."""

    name: str
    season: int
    steps: int


HOURLY, WEEKLY = Task("hourly", 24, 48), Task("weekly", 1, 13)


@dataclass
class Row:
    """Scores of one method, a series each."""

    task: str
    method: str
    published: str | None = None
    names: list[str] = field(default_factory=list)
    smape: list[float] = field(default_factory=list)
    mase: list[float] = field(default_factory=list)
    cpu_s: float = 0.0
    failed: int = 0

    def add(self, name: str, forecast: Callable[[], Floats], y: Floats, truth: Floats, season: int) -> None:
        begin = time.process_time()
        try:
            path = forecast()
        except (FitError, ValueError, ArithmeticError):
            self.failed += 1
            return
        finally:
            self.cpu_s += time.process_time() - begin
        self.names.append(name)
        self.smape.append(smape(truth, path))
        self.mase.append(mase(truth, path, seasonal_scale(y, season)))


@dataclass(frozen=True)
class One:
    name: str
    y: Floats
    truth: Floats


def series(folder: Path, task: Task, most: int) -> Iterator[One]:
    """In the order H1, H2, …"""
    train, test = (
        pl.read_parquet(folder / f"m4_{task.name}_{part}.parquet").sort("id", "t").group_by("id").agg("y")
        for part in ("train", "test")
    )
    both = train.join(test, on="id", suffix="_test").sort(pl.col("id").str.slice(1).cast(pl.Int64)).head(most)
    for name, y, truth in both.iter_rows():
        yield One(name, np.array(y, np.float64), np.array(truth, np.float64))


def forecast(model: Model, y: Floats, steps: int) -> Floats:
    """One fit, one path."""
    if y.max() == y.min():
        return np.full(steps, y[0])
    form = model.select(y, EVALUATIONS) if model.selects else ""
    fitted = model.fit(y, form, None, EVALUATIONS)
    return model.predict(fitted.params, np.zeros(0), np.zeros(1, np.int64), steps).mean[0]


def library_arima(y: Floats, season: int, steps: int) -> Floats:
    """statsforecast's AutoARIMA, approximate."""
    from statsforecast.models import AutoARIMA

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        path: Floats = AutoARIMA(season_length=season, approximation=True).forecast(y=y, h=steps)["mean"]
    return np.asarray(path, np.float64)


def models(task: Task) -> dict[str, tuple[Model, str | None]]:
    """Method → model and its name among the published ones."""
    season = {"season_h": task.season}
    found: dict[str, tuple[Model, str | None]] = {
        "naive": (load_model("naive", {}), "Naive"),
        "seasonal_naive": (load_model("seasonal_naive", season), "sNaive"),
        "theta": (load_model("theta", season), "Theta"),
        "auto_theta": (load_model("auto_theta", season), None),
    }
    forms = {"season_h": 24} if task.season > 1 else {"forms": ["ANN", "AAN", "AAdN"]}
    found["auto_ets"] = (load_model("auto_ets", forms), None)
    return found


def measure(folder: Path, task: Task, most: int) -> list[Row]:
    held = models(task)
    for model, _ in held.values():  # what is compiled is compiled before anything is timed
        forecast(model, np.sin(np.arange(200.0)) + np.arange(200.0) / 50 + 5, task.steps)
    rows = {name: Row(task.name, name, published) for name, (_, published) in held.items()}
    for one in series(folder, task, most):
        for name, (model, _) in held.items():
            rows[name].add(one.name, lambda m=model, y=one.y: forecast(m, y, task.steps), one.y, one.truth, task.season)  # type: ignore[misc]
    return list(rows.values())


def measure_arima(folder: Path, most: int) -> list[Row]:
    """Approximate AutoARIMA on a fixed sample of hourly series, ours and the library's."""
    ours, theirs = Row("hourly sample", "auto_arima"), Row("hourly sample", "statsforecast AutoARIMA")
    model = load_model("auto_arima", {})
    sample = [one for k, one in enumerate(series(folder, HOURLY, 10_000)) if k % ARIMA_STEP == 0][:most]
    if sample:
        library_arima(sample[0].y[-100:], 24, 2)
        forecast(model, sample[0].y[-100:], 2)
    for one in sample:
        ours.add(one.name, lambda y=one.y: forecast(model, y, 48), one.y, one.truth, 24)  # type: ignore[misc]
        theirs.add(one.name, lambda y=one.y: library_arima(y, 24, 48), one.y, one.truth, 24)  # type: ignore[misc]
        print(f"  {one.name}: MASE {ours.mase[-1]:.3f} and {theirs.mase[-1]:.3f}", file=sys.stderr, flush=True)
    return [ours, theirs] if sample else []


def published(folder: Path) -> Mapping[tuple[str, str, str], float]:
    """(method, metric, frequency) → score."""
    frame = pl.read_csv(folder / "m4_published_scores.csv")
    rows = frame.select("method", "metric", "freq", "score").iter_rows()
    return {(method, metric, freq.lower()): score for method, metric, freq, score in rows}


def told(row: Row, scores: Mapping[tuple[str, str, str], float], whole: bool, theirs: Row | None) -> dict[str, Any]:
    """A row of the table, with the verdict on what it must reach."""
    smape_, mase_ = (float(np.mean(values)) if values else float("nan") for values in (row.smape, row.mase))
    known = [scores.get((row.published or "", metric, row.task)) for metric in ("sMAPE", "MASE")]
    verdict = ""
    if theirs is not None:
        verdict = f"≤ {np.mean(theirs.mase):.3f}: {_yes(mase_ <= float(np.mean(theirs.mase)))}"
    elif not whole:
        verdict = "not all series"
    elif known[0] is not None and known[1] is not None:
        near = 0.02 if row.method == "theta" else 0.0
        good = all(
            abs(found - score) <= max(near * score, 0.0005001)
            for found, score in zip((smape_, mase_), (known[0], known[1]), strict=True)
        )
        verdict = f"{'within 2 %' if near else 'three decimals'}: {_yes(good)}"
    elif row.method == "auto_ets" and row.task == "hourly":
        verdict = f"MASE ≤ 1.61: {_yes(mase_ <= 1.61)}"
    return {
        "task": row.task,
        "method": row.method,
        "series": len(row.mase),
        "failed": row.failed,
        "sMAPE": round(smape_, 3),
        "published sMAPE": known[0],
        "MASE": round(mase_, 3),
        "published MASE": known[1],
        "median MASE": round(float(np.median(row.mase)), 3) if row.mase else None,
        "ms a series": round(1000 * row.cpu_s / max(len(row.mase) + row.failed, 1), 2),
        "verdict": verdict,
    }


def _yes(good: bool) -> str:
    return "yes" if good else "NO"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--series", type=int, default=414, help="so many series of each frequency")
    parser.add_argument("--arima", type=int, default=40, help="so many series in the sample of AutoARIMA; 0 = none")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    scores = published(given.data)
    table = [
        told(row, scores, given.series >= 414, None)
        for task in (HOURLY, WEEKLY)
        for row in measure(given.data, task, given.series)
    ]
    arima = measure_arima(given.data, given.arima)
    table += [told(row, scores, False, arima[1] if row is arima[0] else None) for row in arima]
    with pl.Config(
        tbl_rows=-1, tbl_cols=-1, tbl_width_chars=220, tbl_hide_column_data_types=True, tbl_hide_dataframe_shape=True
    ):
        print(pl.DataFrame(table))
    if given.json:
        given.json.write_text(json.dumps(table, indent=1))


if __name__ == "__main__":
    main()
