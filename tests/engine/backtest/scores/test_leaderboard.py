from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from engine.backtest.scores.leaderboard import leaderboard
from engine.backtest.scores.table import SEASONAL_NAIVE
from tests.engine.backtest.scores import world


def _world(subjects: int, configurations: dict, seed: int = 0, **more: object) -> pl.LazyFrame:  # type: ignore[type-arg]
    """Errors of a given spread for each configuration, on users who are hard or easy."""
    rng = np.random.default_rng(seed)
    found = {}
    for s in range(subjects):
        hard = rng.gamma(4, 0.25)
        y = rng.normal(70, 5, (30, world.STEPS))
        base = y + hard * rng.normal(0, 5, y.shape)
        found[f"s{s:03}", "hr_bpm"] = {
            one: world.rows(y, y + hard * rng.normal(0, sd, y.shape), base) for one, sd in configurations.items()
        }
    return world.tables(found)["series_scores"]


def test_best_first_with_its_price() -> None:
    good, cheap, bad = world.configuration("ets"), world.configuration("theta"), world.configuration("naive")
    cpu = pl.DataFrame(
        {"model": ["ets", "naive", "theta"], "window_h": [72] * 3, "refit_h": [1] * 3, "n_fits": [9] * 3,
         "cpu_s": [5.0, 6.0, 1.0]}
    )  # fmt: skip
    found = leaderboard(_world(30, {good: 2.0, cheap: 2.5, bad: 6.0}), cpu, draws=200)
    frame = found.frame
    assert frame["model"].to_list() == ["ets", "theta", "naive"]
    assert frame["best"].to_list() == frame["as_good"].to_list() == [True, False, False]
    assert frame["pareto"].to_list() == [True, True, False]
    assert (frame["skill_low"] < frame["skill"]).all()
    assert (frame["skill"] < frame["skill_high"]).all()
    assert frame["skill"][0] == pytest.approx(1 - 2 / 5, abs=0.05)
    assert frame["skill"][2] < 0
    assert frame["p_holm"][1] < 0.05
    assert (found.basis, found.n_users) == ("common", 30)


def test_best_of_36_is_not_declared_better_than_its_equals() -> None:
    """Uncorrected, the best of 36 equals beats some of them 'significantly', almost always; corrected, rarely."""
    equals = {world.configuration("ets", w, r): 3.0 for w in range(24, 168, 24) for r in range(1, 7)}
    assert len(equals) == 36
    naive, corrected = 0, 0
    for seed in range(6):
        found = leaderboard(_world(25, equals, seed), draws=100)
        naive += (found.frame["p"] < 0.05).any()
        corrected += not found.frame["as_good"].all()
        assert found.best_unseen > found.frame["mase_charged"][0]
    assert naive >= 5
    assert corrected <= 1


def test_failing_does_not_win() -> None:
    """Survivorship: a model that gives up on hard users has the least MAE, and is not the first."""
    rng = np.random.default_rng(1)
    found = {}
    for s in range(20):
        hard = 5.0 if s % 2 else 1.0
        y = rng.normal(70, 5, (30, world.STEPS))
        base, f = y + hard * rng.normal(0, 3, y.shape), y + hard * rng.normal(0, 2, y.shape)
        gone = np.where(hard > 1, np.nan, f + 0.1)
        found[f"s{s:02}", "hr_bpm"] = {
            world.configuration("steady"): world.rows(y, f, base),
            world.configuration("quitter"): world.rows(y, gone, base),
        }
    frame = leaderboard(world.tables(found)["series_scores"], draws=50).frame
    assert frame["model"].to_list() == ["steady", "quitter"]
    assert frame["mae"][1] < frame["mae"][0]
    assert frame["answered"].to_list() == [1.0, 0.5]
    assert frame["n_common"][0] == frame["n_common"][1]


def test_intervals_of_few_forecasts_are_told_as_such() -> None:
    y = np.random.default_rng(2).normal(70, 5, (40, world.STEPS))
    few = world.rows(y, y + 1.0, y + 2.0)
    few.q10[:30] = few.q90[:30] = np.nan
    found = {("s0", "hr_bpm"): {world.configuration("all"): world.rows(y, y, y + 2.0), world.configuration("few"): few}}
    board = leaderboard(world.tables(found)["series_scores"], draws=20)
    assert board.frame.select("model", "bounded", "covered").rows() == [("all", 1.0, 1.0), ("few", 0.25, 1.0)]
    assert not board.is_bounded


def test_short_series_without_a_mase_are_ordered_by_skill() -> None:
    y = np.random.default_rng(2).normal(70, 5, (40, world.STEPS))
    found = {
        ("s0", "hr_bpm"): {
            world.configuration(name): world.rows(y, y + error, y + 2.0, scale=np.nan)
            for name, error in (("a_bad", 1.9), ("good", 0.5), ("worse", 3.0))
        }
    }
    board = leaderboard(world.tables(found)["series_scores"], draws=20)
    assert not board.is_scaled
    assert board.frame["model"].to_list() == ["good", "a_bad", "worse"]


def test_a_borrowed_forecast_is_named() -> None:
    y = np.random.default_rng(2).normal(70, 5, (30, world.STEPS))
    base = y + 2.0
    series = {
        (f"s{s}", "hr_bpm"): {world.configuration("broken"): world.rows(y, base, base, SEASONAL_NAIVE)}
        for s in range(3)
    }
    row = leaderboard(world.tables(series)["series_scores"], draws=20).frame.row(0, named=True)
    assert (row["answered"], row["own"]) == (1.0, 0.0)
    assert row["mae_own"] is None
    assert row["skill"] == pytest.approx(0.0, abs=1e-6)


def test_a_long_window_is_compared_on_what_both_have() -> None:
    """The long window lacks the first, hard origins: on all rows it seems better, on common ones it is worse."""
    rng = np.random.default_rng(3)
    y = rng.normal(70, 1, (40, world.STEPS))
    early = np.arange(40) < 20
    error = np.where(early, 10.0, 1.0)[:, None]
    missing = np.where(early[:, None], np.nan, y + 1.5)
    short, long = world.configuration("ets", 72), world.configuration("ets", 336)
    nothing_due = np.where(early[:, None], np.nan, y)
    series = {
        (f"s{s}", "hr_bpm"): {
            short: world.rows(y, y + error, y + 2 * error, common=~early),
            long: world.rows(nothing_due, missing, y + 2 * error, common=~early),
        }
        for s in range(3)
    }
    frame = leaderboard(world.tables(series)["series_scores"], draws=20).frame
    assert frame["window_h"].to_list() == [72, 336]
    assert frame["mae"].to_list() == pytest.approx([1.0, 1.5], abs=1e-6)
    assert frame["mae_all"].to_list() == pytest.approx([5.5, 1.5], abs=1e-6)
    assert frame["n_all"].to_list() == [160 * 3, 80 * 3]
    assert frame["n_common"].to_list() == [80 * 3, 80 * 3]


def test_nothing_in_common_is_said() -> None:
    y = np.random.default_rng(2).normal(70, 5, (30, world.STEPS))
    none = np.zeros(30, np.bool_)
    series = {("a", "hr_bpm"): {world.configuration("ets"): world.rows(y, y + 1, y + 2, common=none)}}
    found = leaderboard(world.tables(series)["series_scores"], draws=20)
    assert found.basis == "all"
    assert found.frame["n_common"].to_list() == [0]
    assert found.frame["mae"].to_list() == pytest.approx([1.0])
    assert np.isnan(found.best_unseen)


def test_equal_seeds_equal_frames() -> None:
    series = _world(10, {world.configuration("ets"): 2.0, world.configuration("theta"): 2.0})
    assert leaderboard(series, draws=50).frame.equals(leaderboard(series, draws=50).frame)


def test_no_rows_no_board() -> None:
    empty = _world(1, {world.configuration("ets"): 2.0}).filter(pl.lit(False))
    assert leaderboard(empty, draws=5).frame.is_empty()
