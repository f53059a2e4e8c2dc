from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from engine.backtest.scores import pairs
from engine.backtest.scores.diebold_mariano import diebold_mariano
from engine.backtest.scores.users import users
from tests.engine.backtest.scores import world


def _series(subjects: int, noise: dict[str, float]) -> dict[str, pl.LazyFrame]:
    rng, found = np.random.default_rng(0), {}
    for s in range(subjects):
        y = rng.normal(70, 5, (40, world.STEPS))
        base = y + rng.normal(0, 4, y.shape)
        found[f"s{s:02}", "hr_bpm"] = {
            world.configuration(m): world.rows(y, y + rng.normal(0, sd, y.shape), base) for m, sd in noise.items()
        }
    return world.tables(found)


def test_losses_are_in_time_order_and_scaled_on_request() -> None:
    y = np.full((3, 1), 10.0)
    f = y + np.array([[1.0], [2.0], [4.0]])
    tables = world.tables({("a", "hr_bpm"): {world.configuration("ets"): world.rows(y, f, f)}})
    configurations = pl.DataFrame({"model": ["ets"], "window_h": [72], "refit_h": [1], "policy": ["update"]})
    assert pairs.losses(tables["origin_sums"], configurations, False)[:, 0].tolist() == [1.0, 2.0, 4.0]
    assert pairs.losses(tables["origin_sums"], configurations, True)[:, 0].tolist() == [0.5, 1.0, 2.0]


def test_matrices_are_those_of_every_pair() -> None:
    tables = _series(8, {"ets": 2.0, "naive": 6.0, "theta": 2.0})
    compared = users(tables["series_scores"])
    losses = pairs.losses(tables["origin_sums"], compared.configurations, False)
    statistic, p, corrected = pairs.over_origins(losses, world.STEPS)
    one = diebold_mariano(losses[:, 0], losses[:, 1], world.STEPS)
    assert (statistic[0, 1], p[0, 1]) == (one.statistic, one.p)
    assert statistic[1, 0] == -statistic[0, 1]
    assert np.isnan(np.diag(p)).all()
    off = ~np.eye(3, dtype=bool)
    assert (corrected[off] >= p[off]).all()
    assert corrected[0, 1] < 0.01 < 0.05 < corrected[0, 2]
    over_users = pairs.over_users(compared)[1]
    assert over_users[0, 1] < 0.01 < 0.05 < over_users[0, 2]


def test_one_user_decides_nothing() -> None:
    compared = users(_series(1, {"ets": 1.0, "naive": 9.0})["series_scores"])
    assert np.isnan(pairs.over_users(compared)[0]).all()
    assert compared.mase.shape == (1, 2)


def test_a_user_without_rows_is_no_user_with_zero_error() -> None:
    tables = _series(3, {"ets": 1.0, "naive": 2.0})
    frame = tables["series_scores"].filter(~((pl.col("subject_id") == "s01") & (pl.col("model") == "ets")))
    mase = users(frame).mase
    assert np.isnan(mase[1, 0])
    assert mase[1, 1] == pytest.approx(0.8, abs=0.25)
