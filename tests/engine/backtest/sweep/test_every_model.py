"""Promises of a sweep that no model may break: sharing and poison, through the evaluator that a run maps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from engine.backtest.contract import Floats
from engine.backtest.fits.evaluate import Asked, evaluate
from engine.backtest.grid import Grid, Policy
from engine.backtest.models.registry import BUILT_IN, load_model
from engine.backtest.series.series import Series
from engine.backtest.sweep.requests import Span

START = 480_000
SPAN = Span(START, START + 24 * 30)
GRID = Grid(
    (),
    (72, None),
    (1, 6, 24),
    (Policy.UPDATE, Policy.STALE),
    horizon_h=4,
    evaluate_h=27,
    evaluations=40,
    keep_params="all",
)
FEW = replace(GRID, windows_h=(72,), refits_h=(6, 24))
"""Of models whose fits take milliseconds."""

SEARCHING = {"auto_arima", "auto_tbats", "stlm_arima", "ces", "tbats", "regressor", "mfles"}
PARAMETERS = {"auto_arima": {"orders": 5}, "stlm_arima": {"orders": 5}}

NAMES = ["fit_id", "params_json", "status", "form", "n_eval", "start", "data_hash", "y_mean", "y_sd", "n_obs"]
FIT, ATTEMPT = ["window_h", "cutoff"], ["window_h", "cutoff", "origin"]


def values(n: int = 145) -> Floats:
    """A daily rhythm with noise and two gaps that are filled."""
    hours = np.arange(n)
    y = 70 + 8 * np.sin(2 * np.pi * hours / 24) + np.random.default_rng(7).normal(0, 1.5, n)
    y[[40, 41, 42, 43, 44, 130, 131]] = np.nan
    return np.round(y, 2)


def swept(name: str, grid: Grid, y: Floats) -> tuple[pl.DataFrame, pl.DataFrame]:
    """fits, attempts; a null window is −1 so that rows can be matched."""
    model = load_model(name, PARAMETERS.get(name, {}))
    asked = Asked(name, "00" * 32, model, grid, SPAN)
    found = evaluate(Series("S1", "hr_bpm", START, y), asked, "key")
    frames = [pl.from_arrow(table) for table in (found.fits, found.attempts)]
    fits, attempts = (
        frame.with_columns(pl.col("window_h").fill_null(-1)) for frame in frames if isinstance(frame, pl.DataFrame)
    )
    return fits.select(*FIT, *NAMES), attempts.select(*ATTEMPT, "fit_id", "lead_h", "mean", "low", "high")


def grid_of(name: str) -> Grid:
    return FEW if name in SEARCHING else GRID


def alone(grid: Grid) -> list[Grid]:
    return [
        replace(grid, windows_h=(window,), refits_h=(refit,), policies=(policy,))
        for window in grid.windows_h
        for refit in grid.refits_h
        for policy in grid.policies
    ]


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_swept_result_equals_the_configuration_run_alone(name: str) -> None:
    fits, attempts = swept(name, grid_of(name), values())
    assert (fits["status"] == "ok").sum() > 5
    for grid in alone(grid_of(name)):
        own_fits, own_attempts = swept(name, grid, values())
        offered = load_model(name, {}).updates or grid.refits_h == (1,) or grid.policies == (Policy.STALE,)
        assert own_attempts.is_empty() != offered
        assert _same(own_fits, fits, FIT)
        both = own_attempts.join(attempts, on=ATTEMPT, suffix="_swept")
        assert both.height == own_attempts.height
        for row in both.iter_rows(named=True):
            for column in ("mean", "low", "high"):
                one, other = row[column], row[f"{column}_swept"]
                assert (one is None and other is None) or one == other[: len(one)]


def _same(part: pl.DataFrame, whole: pl.DataFrame, on: list[str]) -> bool:
    """Every row of `part` is in `whole`, to the bit."""
    return part.height == whole.join(part.select(on), on=on, how="semi").height and part.sort(on).equals(
        whole.join(part.select(on), on=on, how="semi").sort(on)
    )


@pytest.mark.parametrize("poison", [np.nan, 1e9])
@pytest.mark.parametrize("name", BUILT_IN)
def test_nothing_after_an_origin_changes_what_was_forecast_there(name: str, poison: float) -> None:
    grid = grid_of(name)
    clean, dirty = values(), values()
    origin = START + 132
    dirty[132:] = poison
    for before, after, on, hour in zip(
        swept(name, grid, clean), swept(name, grid, dirty), (FIT, ATTEMPT), FIT[1:] + ATTEMPT[2:], strict=True
    ):
        upto = pl.col(hour).dt.epoch("s") // 3600 <= origin
        first, second = before.filter(upto), after.filter(upto).join(before.select(on), on=on, how="semi")
        assert first.height > 0
        assert _cut(first, grid.horizon_h).sort(on).equals(_cut(second, grid.horizon_h).sort(on))


def _cut(frame: pl.DataFrame, steps: int) -> pl.DataFrame:
    """Paths of a fit at its own cutoff are as long as its latest origin wants; the first steps are always there."""
    return frame.with_columns(pl.col("mean", "low", "high").list.head(steps)) if "mean" in frame.columns else frame
