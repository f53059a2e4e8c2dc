from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from engine.backtest.scores.findings import Asked, find
from tests.engine.backtest.scores import world
from tests.engine.backtest.scores.output import ASKED, frames


def test_curves_are_of_the_best_of_each_model() -> None:
    found = find(frames(), ASKED)
    assert found.chosen["model"].to_list() == ["ets", "theta", "seasonal_naive"]
    assert found.board.frame["model"].n_unique() == 3
    assert set(found.boards) == {"hr_bpm", "spo2_pct"}
    assert found.by_step.group_by("model").len()["len"].to_list() == [world.STEPS] * 3
    assert found.by_vital_step["mae"].null_count() == 0
    assert found.by_age["age_h"].unique().sort().to_list() == [0, 1, 2]
    assert found.aging.select("model", "age_h").rows() == [("theta", 0), ("theta", 1), ("theta", 2)]
    assert found.aging["ratio"].to_list() == pytest.approx([1.07] * 3, abs=0.15)
    assert found.coverage.select((pl.col("low") <= pl.col("covered")).all()).item()
    assert found.difference[0].shape == (3, 3)
    assert found.totals["series"] == 12


def test_the_baseline_is_always_chosen() -> None:
    found = find(frames(), replace(ASKED, most=2))
    assert found.chosen["model"].to_list() == ["ets", "seasonal_naive"]


def test_an_ensemble_costs_what_its_members_cost() -> None:
    held = frames()
    members = pl.DataFrame({"model": ["ets"] * 2, "window_h": [24] * 2, "refit_h": [1] * 2, "member": ["a", "b"]})
    fits = held["fits"].with_columns(model=pl.col("model").replace({"ets": "a", "theta": "b"}))
    alone = find(held | {"fits": fits}, ASKED).board.frame
    assert alone.filter(model="ets")["cpu_s"].to_list() == [None, None]
    together = find(held | {"fits": fits, "weights": members.lazy()}, ASKED).board.frame
    assert together.filter(model="ets", window_h=24)["cpu_s"].to_list() == pytest.approx([40 * (0.2 + 0.02)])


def test_fates_and_faults_are_counted() -> None:
    found = find(frames(), ASKED)
    assert dict(found.statuses.filter(model="theta").select("status", "n").iter_rows()) == {"ok": 30, "error": 10}
    assert found.faults.row(0, named=True)["error_message"] == "did not converge <at all>"
    assert found.origins.to_dicts() == [{"status": "ok", "n": 30}, {"status": "stale_data", "n": 2}]


def test_clinical_agreement_is_of_the_chosen() -> None:
    found = find(frames(), ASKED)
    assert len(found.clinical) == 3
    assert all(one.n > 0 for one in found.clinical)


def test_without_the_tables_that_may_be_absent() -> None:
    held = {name: frame for name, frame in frames().items() if name in ("score_sums", "series_scores", "origin_sums")}
    found = find(held, Asked(draws=10))
    assert found.statuses.is_empty()
    assert found.clinical == ()
    assert found.board.frame["cpu_s"].null_count() == len(found.board.frame)
    assert np.isfinite(found.board.best_unseen)
