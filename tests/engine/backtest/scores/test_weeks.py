from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from engine.backtest.scores.weeks import LEAST, WEEK_H, weeks
from tests.engine.backtest.scores import world

MODELS = {"ets": 2.0, "theta": 2.0}


def sums(weeks_of_data: int, worse: int = 0, seed: int = 0) -> pl.LazyFrame:
    """Theta errs half as much again in the newest `worse` weeks."""
    rng, series = np.random.default_rng(seed), {}
    hours = weeks_of_data * WEEK_H
    newest = (np.arange(hours) >= hours - worse * WEEK_H)[:, None]
    for s in range(5):
        y = rng.normal(70, 5, (hours, world.STEPS))
        base, error = y + rng.normal(0, 4, y.shape), rng.normal(0, 1, y.shape)
        by = {world.configuration(m): world.rows(y, y + sd * error, base) for m, sd in MODELS.items()}
        theta = world.configuration("theta")
        by[theta] = world.rows(y, y + error * np.where(newest, 3.0, 2.0), base)
        series[f"s{s}", "hr_bpm"] = by
    return world.tables(series)["origin_sums"]


def found(weeks_of_data: int, worse: int = 0, seed: int = 0) -> pl.DataFrame:
    return weeks(sums(weeks_of_data, worse, seed))


def test_a_model_that_errs_more_for_two_weeks_is_an_alarm() -> None:
    told = found(10, worse=2)
    assert told.select("model", "alarm").rows() == [("theta", True), ("ets", False)]
    theta = told.row(0, named=True)
    assert (theta["weeks"], theta["now"] / theta["usual"]) == (8, pytest.approx(1.5, abs=0.1))
    # Scale 2, errors N(0, 2): the mean absolute error is 2·√(2/π).
    assert theta["usual"] == pytest.approx(np.sqrt(2 / np.pi), rel=0.05)


def test_one_week_is_none_and_neither_is_an_undisturbed_sweep() -> None:
    assert not found(10, worse=1)["alarm"].any()
    assert not any(found(10, seed=seed)["alarm"].any() for seed in range(5))


def test_few_weeks_have_no_limit() -> None:
    told = found(LEAST + 1, worse=2)
    assert told["weeks"].to_list() == [LEAST - 1] * 2
    assert told["limit"].null_count() == 2 and not told["alarm"].any()
    assert weeks(found_nothing()).is_empty()


def found_nothing() -> pl.LazyFrame:
    y = np.full((3, 1), 10.0)
    undefined = world.rows(y, y + 1, y, scale=0.0)
    return world.tables({("a", "hr_bpm"): {world.configuration("ets"): undefined}})["origin_sums"]
