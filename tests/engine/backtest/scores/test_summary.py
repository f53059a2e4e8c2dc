from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from engine.backtest.scores import metrics
from engine.backtest.scores.summary import score_table, scores
from engine.backtest.scores.table import CONFIGURATION, ENSEMBLE, FIT, SCORES, SEASONAL_NAIVE
from engine.backtest.scores.users import users
from tests.engine.backtest.scores import world

RNG = np.random.default_rng(0)
Y = RNG.normal(70, 5, (30, world.STEPS))
F, BASE = Y + RNG.normal(1, 3, Y.shape), Y + RNG.normal(0, 6, Y.shape)
ONE = world.configuration("theta")


def test_scores_are_the_metrics_of_all_rows() -> None:
    found = scores(world.tables({("a", "hr_bpm"): {ONE: world.rows(Y, F, BASE)}})["score_sums"], CONFIGURATION)
    row = found.row(0, named=True)
    expected = {
        "n": Y.size, "answered": 1.0, "own": 1.0, "mae": metrics.mae(Y, F), "rmse": metrics.rmse(Y, F),
        "bias": metrics.bias(Y, F), "smape": metrics.smape(Y, F), "mase": metrics.mase(Y, F, 2.0),
        "rmsse": metrics.rmsse(Y, F, 4.0), "covered": metrics.coverage(Y, F - 3, F + 3), "width": 6.0,
        "interval_score": metrics.interval_score(Y, F - 3, F + 3), "wis": metrics.wis(Y, F, {0.2: (F - 3, F + 3)}),
        "wql": metrics.wql(Y, {0.1: F - 3, 0.5: F, 0.9: F + 3}), "skill": 1 - metrics.mae(Y, F) / metrics.mae(Y, BASE),
    }  # fmt: skip
    assert {name: row[name] for name in expected} == pytest.approx(expected, rel=1e-6)


def test_each_cell_is_the_metric_of_its_rows() -> None:
    found = scores(world.tables({("a", "hr_bpm"): {ONE: world.rows(Y, F, BASE)}})["score_sums"])
    assert len(found) == 3 * world.STEPS
    cell = found.filter(pl.col("step") == 2, pl.col("age_h") == 1).row(0, named=True)
    assert cell["mae"] == pytest.approx(metrics.mae(Y[1::3, 1], F[1::3, 1]), rel=1e-6)


def test_the_table_has_everything_each_vital_and_each_cell() -> None:
    series = {("a", vital): {ONE: world.rows(Y, F, BASE)} for vital in ("hr_bpm", "sbp_mmhg")}
    cpu = pl.DataFrame({"model": ["theta"], "window_h": [72], "refit_h": [1], "cpu_s": [1.25]})
    found = score_table(world.tables(series)["score_sums"], cpu)
    assert found.to_arrow().cast(SCORES.schema).schema.equals(SCORES.schema)
    assert found.select(SCORES.key).is_unique().all()
    assert found["scope"].value_counts().sort("count")["count"].to_list() == [1, 2, 2 * 3 * world.STEPS]
    whole = found.filter(scope="all").row(0, named=True)
    assert (whole["vital"], whole["step"], whole["mae"], whole["cpu_s"]) == (None, None, None, 1.25)
    assert whole["n"] == 2 * Y.size
    assert found.filter(scope="vital")["mae"].to_list() == pytest.approx([metrics.mae(Y, F)] * 2, rel=1e-6)
    assert score_table(world.tables(series)["score_sums"])["cpu_s"].null_count() == len(found)


def test_a_failed_fit_is_not_dropped_before_averaging() -> None:
    """Survivorship: failing on the hard half makes MAE look better, but not the charged one, and it shows."""
    hard = np.arange(len(Y)) % 2 == 0
    f = np.where(hard[:, None], Y + 20.0, Y + 1.0)
    base = np.where(hard[:, None], Y + 8.0, Y + 2.0)
    gone = np.where(hard[:, None], np.nan, f)
    tries, quits = world.configuration("tries"), world.configuration("quits")
    by = {tries: world.rows(Y, f, base), quits: world.rows(Y, gone, base)}
    found = scores(world.tables({("a", "hr_bpm"): by})["score_sums"], CONFIGURATION)
    row = {one["model"]: one for one in found.to_dicts()}
    assert row["quits"]["mae"] == pytest.approx(1.0, abs=1e-6)
    assert row["quits"]["answered"] == 0.5
    assert row["quits"]["n_due"] == row["tries"]["n_due"] == Y.size
    assert row["quits"]["mae_charged"] == pytest.approx((1 + 8) / 2, abs=1e-6)
    assert row["quits"]["mase_charged"] == pytest.approx((1 + 8) / 4, abs=1e-6)
    assert row["tries"]["mae_charged"] == row["tries"]["mae"] == pytest.approx(10.5, abs=1e-6)


def test_a_stand_in_is_not_counted_as_the_model() -> None:
    """Rows that seasonal naive served count for the configuration, are named, and are not the model's own error."""
    failed = np.arange(len(Y)) % 3 == 0
    f = np.where(failed[:, None], BASE, Y + 1.0)
    served = np.where(failed[:, None], SEASONAL_NAIVE, FIT)
    sums = world.tables({("a", "hr_bpm"): {ONE: world.rows(Y, f, BASE, served)}})["score_sums"]
    whole, own = (scores(part, CONFIGURATION).row(0, named=True) for part in
                  (sums, sums.filter(pl.col("served_by") == "fit")))  # fmt: skip
    assert whole["own"] == pytest.approx(2 / 3)
    assert whole["answered"] == 1.0
    assert whole["mae"] == pytest.approx(metrics.mae(Y, f), rel=1e-6)
    assert own["mae"] == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("server", [ENSEMBLE, SEASONAL_NAIVE])
def test_a_stand_in_wins_no_ranking(server: int) -> None:
    """A model that never fits is no better than seasonal naive, however well another served in its place."""
    rows = world.rows(Y, Y + 1.0, BASE, server)
    tables = world.tables({("a", "hr_bpm"): {ONE: rows}})
    row = scores(tables["score_sums"], CONFIGURATION).row(0, named=True)
    beside = metrics.mae(Y, BASE)
    assert (row["mae"], row["own"]) == (pytest.approx(1.0, abs=1e-6), 0.0)
    assert row["mae_charged"] == pytest.approx(beside, rel=1e-6)
    assert row["mase_charged"] == pytest.approx(beside / 2, rel=1e-6)
    ranked = users(tables["series_scores"])
    assert ranked.mase[0, 0] == pytest.approx(beside / 2, rel=1e-6)
    assert ranked.log_ratio[0, 0] == pytest.approx(0.0, abs=1e-6)
    assert tables["origin_sums"].collect()["abs_error"].sum() == pytest.approx(beside * Y.size, rel=1e-6)


def test_undefined_scores_are_null_and_counted() -> None:
    rows = world.rows(Y, F, BASE, scale=0.0)
    rows.q50[:] = np.nan
    row = scores(world.tables({("a", "hr_bpm"): {ONE: rows}})["score_sums"], CONFIGURATION).row(0, named=True)
    assert row["mase"] is row["rmsse"] is row["wis"] is row["covered"] is row["mase_charged"] is None
    assert row["mae"] is not None


def test_errors_of_several_vitals_are_not_averaged() -> None:
    series = {("a", vital): {ONE: world.rows(Y, F, BASE)} for vital in ("hr_bpm", "sbp_mmhg")}
    row = scores(world.tables(series)["score_sums"], CONFIGURATION).row(0, named=True)
    assert row["mae"] is row["wis"] is row["skill"] is None
    assert row["mase"] == pytest.approx(metrics.mase(Y, F, 2.0), rel=1e-6)
