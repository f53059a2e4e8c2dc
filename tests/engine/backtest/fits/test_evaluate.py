"""Every fit of a span becomes a row, whatever comes of it, and the others are as if it had not been there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from engine.backtest.fits.evaluate import Answered, Asked, evaluate
from engine.backtest.grid import Grid, Policy
from engine.backtest.series.series import Series
from engine.backtest.sweep.requests import Span
from engine.backtest.tables import ATTEMPTS, FITS
from engine.tables.checks import check_table
from engine.work import Death
from tests.engine.backtest.fits.odd import START, Odd, OddSweep, series

GRID = Grid((), windows_h=(24, 72, None), refits_h=(1, 6), horizon_h=3, evaluate_h=48, keep_params="all")
WHOLE = Span(0, 1_000_000)
MARKED = 24 * 7 + 5


def asked(model: Odd, grid: Grid = GRID, **changed: object) -> Asked:
    return replace(Asked("odd", "0" * 64, model, grid, WHOLE), **changed)  # type: ignore[arg-type]


def told(
    model: Odd, of: Series | None = None, grid: Grid = GRID, **changed: object
) -> tuple[pl.DataFrame, pl.DataFrame]:
    found: Answered = evaluate(series(marks=(MARKED,)) if of is None else of, asked(model, grid, **changed), "k")
    check_table("fits", found.fits, FITS, "k")
    check_table("attempts", found.attempts, ATTEMPTS, "k")
    fits, attempts = (pl.DataFrame(pl.from_arrow(table)) for table in (found.fits, found.attempts))
    return fits.with_columns(hour=pl.col("cutoff").dt.epoch("s") // 3600 - START), attempts


def lost(fits: pl.DataFrame) -> pl.DataFrame:
    return fits.filter(pl.col("status") != "ok")


def test_every_fit_and_forecast_is_a_row() -> None:
    fits, attempts = told(Odd())
    assert fits["status"].unique().to_list() == ["ok"]
    assert fits.height == 3 * 48  # 48 hourly origins end with the series; the cutoff of the first lies on all phases
    assert fits.filter(pl.col("start") == "cold")["hour"].unique().sort().to_list() == [144, 168]
    assert attempts.height == fits.height + 3 * 40  # at the refit of 6 h, five of six origins come after the cutoff
    assert set(attempts["fit_id"]) == set(fits["fit_id"])
    assert attempts["mean"].list.len().unique().to_list() == [3]
    row = fits.filter((pl.col("hour") == 150) & (pl.col("window_h") == 24)).row(0, named=True)
    y = series(marks=(MARKED,)).values[126:150]
    assert (row["n_obs"], row["n_missing"], row["y_min"], row["y_max"]) == (24, 0, y.min(), y.max())
    assert row["y_sd"] == pytest.approx(y.std(ddof=1))
    assert (row["mean_gap_s"], row["n_eval"], row["role"]) == (3600.0, 3, "asked")


@pytest.mark.parametrize(
    ("how", "status", "kind", "message"),
    [
        ("raise", "error", "ValueError", "no such thing"),
        ("refuse", "error", "FitError", "not today"),
        ("exit", "error", "SystemExit", "3"),
        ("nan", "nonfinite", None, "a forecast or a parameter is no finite number"),
        ("bad params", "nonfinite", None, "a forecast or a parameter is no finite number"),
    ],
)
def test_a_bad_fit_costs_itself_only(how: str, status: str, kind: str | None, message: str) -> None:
    good_fits, good = told(Odd())
    fits, attempts = told(Odd(how))
    bad = lost(fits)
    assert bad["hour"].to_list() == [MARKED + 1] * 3
    assert bad.select("status", "error_class", "error_message").unique().row(0) == (status, kind, message)
    same = [name for name in fits.columns if name not in ("cpu_s", "wall_s")]
    kept = pl.col("hour") != MARKED + 1
    assert fits.filter(kept).select(same).equals(good_fits.filter(kept).select(same))
    assert attempts.equals(good.filter(pl.col("fit_id").is_in(attempts["fit_id"])))
    assert set(good["fit_id"]) - set(attempts["fit_id"]) == set(bad["fit_id"])


def test_where_an_anchor_fails_the_others_start_cold() -> None:
    fits, _ = told(Odd("raise"), series(marks=(24 * 7 - 1,)))
    day = fits.filter(pl.col("hour") >= 168)
    assert day.filter(pl.col("hour") == 168)["status"].unique().to_list() == ["error"]
    assert day["start"].unique().to_list() == ["cold"]
    assert day.filter(pl.col("hour") > 168)["status"].unique().to_list() == ["ok"]


def test_a_form_is_chosen_once_a_day_and_by_the_fit_itself_where_that_failed() -> None:
    fits, _ = told(Odd(selects=True))
    assert fits["select_cutoff"].is_null().sum() == 0
    assert fits.filter(pl.col("hour") > 168)["form"].n_unique() <= 2
    fits, _ = told(Odd("select", selects=True), series(marks=(24 * 7 - 1,)))
    bad = lost(fits)
    assert bad["hour"].unique().to_list() == [168]
    assert bad.select("error_class", "error_message").unique().row(0) == ("FitError", "cannot choose")
    assert fits.filter(pl.col("hour") > 168)["form"].is_in(["high", "low"]).all()


def test_a_constant_slice_forecasts_its_value() -> None:
    still = series()
    still.values[120:180] = 64.0
    fits, attempts = told(Odd("raise"), still)
    constant = fits.filter(pl.col("status") == "constant")
    assert constant["y_sd"].unique().to_list() == [0.0]
    assert constant.filter(pl.col("window_h") == 24)["hour"].sort().to_list() == list(range(144, 181))
    rows = attempts.filter(pl.col("fit_id").is_in(constant["fit_id"].implode()))
    assert rows["mean"].explode().unique().to_list() == [64.0]
    assert (rows["low"].explode().unique().to_list(), rows["high"].explode().unique().to_list()) == ([63.0], [65.0])
    assert fits["status"].is_in(["ok", "constant"]).all()


def test_too_little_data_is_a_row_with_a_reason() -> None:
    fits, attempts = told(Odd(), series(days=2), replace(GRID, windows_h=(24, 72)))
    short = fits.filter(pl.col("window_h") == 72)
    assert short["status"].unique().to_list() == ["too_short"]
    assert short["error_message"].str.contains("window reaches beyond").all()
    assert fits.filter((pl.col("window_h") == 24) & (pl.col("hour") >= 24))["status"].unique().to_list() == ["ok"]
    assert attempts["window_h"].unique().to_list() == [24]


def test_a_series_without_origins_has_no_rows() -> None:
    fits, attempts = told(Odd(), Series("P1", "hr_bpm", START, np.full(30, np.nan)))
    assert (fits.height, attempts.height) == (0, 0)


def test_a_fit_above_its_budget_came_too_late() -> None:
    fits, attempts = told(Odd(), budget_s=1e-12)
    assert fits["status"].unique().to_list() == ["timeout_soft"]
    assert attempts.height == 0


def test_dead_fits_are_not_tried_and_later_ones_may_be_given_up() -> None:
    hour = START + MARKED + 1
    hang = Death(f"72@{hour}", "timeout", "not finished after 1 s", "SIGKILL")
    fits, _ = told(Odd("raise"), deaths=(hang,))
    row = fits.filter((pl.col("window_h") == 72) & (pl.col("hour") == MARKED + 1)).row(0, named=True)
    assert (row["status"], row["error_class"]) == ("timeout_hard", "SIGKILL")
    fits, _ = told(Odd(), deaths=(replace(hang, cause="killed", and_later=True),))
    gone = lost(fits)
    assert gone["status"].unique().to_list() == ["quarantined"]
    assert gone.filter(pl.col("window_h") == 24).height == 0
    assert gone.filter(pl.col("window_h") == 72)["hour"].to_list() == list(range(MARKED + 1, 192))
    assert gone.filter(pl.col("window_h").is_null()).height == 48


@pytest.mark.parametrize("policies", [(Policy.UPDATE,), (Policy.STALE,), (Policy.UPDATE, Policy.STALE)])
def test_a_sweep_equals_fits_one_by_one(policies: tuple[Policy, ...]) -> None:
    grid = replace(GRID, policies=policies)
    still = series()
    still.values[100:150] = 64.0
    alone, swept = told(Odd(), still, grid), told(OddSweep(), still, grid)
    same = [name for name in alone[0].columns if name not in ("cpu_s", "wall_s")]
    assert alone[0].select(same).equals(swept[0].select(same))
    assert alone[1].equals(swept[1])


def test_a_sweep_that_raises_or_died_says_so_in_every_row() -> None:
    fits, attempts = told(OddSweep("raise"))
    assert fits.select("status", "error_class", "error_message").unique().row(0) == (
        "error",
        "RuntimeError",
        "the sweep is off",
    )
    assert attempts.height == 0
    fits, _ = told(OddSweep(), deaths=(Death("sweep", "killed", "the process died of SIGSEGV", "SIGSEGV"),))
    assert fits.select("status", "error_class").unique().row(0) == ("quarantined", "SIGSEGV")


def test_spans_give_the_rows_of_the_whole() -> None:
    whole_fits, whole = told(Odd())
    cut = START + 168
    parts = [told(Odd(), span=span) for span in (Span(0, cut), Span(cut, 1_000_000))]
    same = [name for name in whole_fits.columns if name not in ("cpu_s", "wall_s")]
    order = ["window_h", "cutoff"]
    joined = pl.concat([fits for fits, _ in parts]).sort(order, nulls_last=True)
    assert joined.select(same).equals(whole_fits.sort(order, nulls_last=True).select(same))
    assert pl.concat([rows for _, rows in parts]).sort("fit_id", "origin").equals(whole.sort("fit_id", "origin"))


@pytest.mark.parametrize("keep", ["all", "anchors", "none"])
def test_parameters_are_stored_as_asked(keep: str) -> None:
    fits, _ = told(Odd(), grid=replace(GRID, keep_params=keep))
    stored = fits.filter(pl.col("params_json").is_not_null())
    expected = {"all": fits.height, "anchors": 6, "none": 0}
    assert stored.height == expected[keep]
    assert (stored["start"] == "cold").all() or keep == "all"
