"""statsforecast as the other side of a backtest: `cross_validation` a configuration, CPU seconds and forecasts."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

SEASON = 24
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sweep:
    """What of the library's forecasts is asked: `origins` of them, `every_h` apart, the last `steps` before the end."""

    window_h: int
    refit_h: int
    origins: int
    steps: int
    every_h: int = 1


@dataclass(frozen=True, slots=True)
class Crossed:
    """CPU seconds of one call, and paths: (series, origins, steps)."""

    cpu_s: float
    paths: Floats


def models() -> Mapping[str, Any]:
    """By the name of ours that is its like. Importing them takes seconds."""
    from statsforecast import models as library

    drift = library.RandomWalkWithDrift()
    return {
        "seasonal_naive": library.SeasonalNaive(SEASON),
        "auto_theta": library.AutoTheta(SEASON),
        "auto_ets": library.AutoETS(SEASON),
        "holt_winters": library.HoltWinters(SEASON),
        "stlm_ets": library.MSTL(SEASON, trend_forecaster=library.AutoETS(model="ZZN")),
        "auto_arima": library.AutoARIMA(season_length=SEASON, approximation=True),
        "auto_tbats": library.AutoTBATS(SEASON),
        "stlm_arima": library.MSTL(SEASON, trend_forecaster=library.AutoARIMA(approximation=True)),
        "stl_drift": library.MSTL(SEASON, trend_forecaster=drift),
    }


def cross(model: Any, series: Sequence[Floats], asked: Sweep) -> Crossed:
    """`cross_validation` as a user calls it, on one process. Refits other than 1 take a model that has `forward`."""
    import pandas as pd
    from statsforecast import StatsForecast

    sizes = [one.size for one in series]
    frame = pd.DataFrame(
        {
            "unique_id": np.repeat([f"{k:05d}" for k in range(len(sizes))], sizes),
            "ds": np.concatenate([np.arange(size) for size in sizes]),
            "y": np.concatenate(series),
        }
    )
    study = StatsForecast(models=[model], freq=1, n_jobs=1)
    with _quiet():
        begin = time.process_time()
        rows = study.cross_validation(
            df=frame,
            h=asked.steps,
            step_size=asked.every_h,
            n_windows=asked.origins,
            input_size=asked.window_h,
            refit=True if asked.refit_h == 1 else asked.refit_h,
        )
        cpu_s = time.process_time() - begin
    rows = rows.sort_values(["unique_id", "cutoff", "ds"])
    path = rows[rows.columns[-1]].to_numpy(np.float64)
    return Crossed(cpu_s, path.reshape(len(sizes), asked.origins, asked.steps))


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield
