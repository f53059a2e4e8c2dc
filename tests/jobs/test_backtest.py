"""Whole backtests: complete, repeatable, resumable, causal, and equal to each configuration alone."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from engine import ledger
from engine.errors import ConfigError, UserError
from engine.events import ignore
from engine.results.query import query
from engine.storage import Store
from jobs import exits
from jobs.backtest_run import re_serve
from jobs.sweep import prepare
from tests.jobs.backtests import MIDNIGHT, SMALL, backtest, digests, rows, run, settings, write_series

ROOT = Path(__file__).resolve().parents[2]
KEY = ["subject_id", "vital", "model", "window_h", "refit_h", "policy", "origin", "step"]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("series") / "long.parquet"
    write_series(path)
    return path


@pytest.fixture(scope="module")
def whole(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("whole") / "out"
    backtest(source, output)
    return output


def test_every_configuration_origin_and_step_is_a_row(whole: Path) -> None:
    forecasts = rows(whole, "forecasts")
    configurations = 3 * 2 * 2 * 2  # two models and their median, windows, refits, policies
    assert forecasts.height == 3 * 48 * configurations * 6 == forecasts.select(KEY).n_unique()
    assert forecasts["yhat"].null_count() == 0
    assert rows(whole, "fits")["status"].unique().to_list() == ["ok"]
    told = ledger.entries(Store(whole))
    assert told["status"].unique().to_list() == ["ok"]
    assert told["file"].null_count() == told.height
    assert rows(whole, "scores").height == rows(whole, "scores").select([*KEY[1:6], "step", "age_h"]).n_unique()
    described = rows(whole, "dictionary")
    assert {"fits", "attempts", "forecasts", "scores", "work"} <= set(described["table"])


def test_a_second_run_does_nothing(whole: Path, source: Path) -> None:
    before = digests(whole)
    study, served = backtest(source, whole)
    assert (study.todo.count, study.todo.done, served.summaries) == (0, 6, [])
    assert digests(whole) == before


def test_a_changed_series_is_fitted_and_served_again_and_only_it(source: Path, tmp_path: Path) -> None:
    changed = tmp_path / "long.parquet"
    frame = pl.read_parquet(source)
    frame.write_parquet(changed)
    backtest(changed, tmp_path / "out")
    later = MIDNIGHT.replace(day=5)
    moved = pl.when((pl.col("subject_id") == "P1") & (pl.col("ts") == later)).then(pl.col("value") + 1)
    frame.with_columns(value=moved.otherwise("value")).write_parquet(changed)
    study, served = backtest(changed, tmp_path / "out")
    assert (study.todo.count, len(served.summaries)) == (2, 2)
    backtest(changed, tmp_path / "fresh")
    assert digests(tmp_path / "out") == digests(tmp_path / "fresh")


def test_another_model_leaves_the_fits_of_the_others_alone(source: Path, tmp_path: Path) -> None:
    backtest(source, tmp_path / "out", models=["naive"])
    study, _ = backtest(source, tmp_path / "out")
    assert {unit.group.rpartition("/")[2] for unit in study.todo.units} == {"seasonal_naive"}


@pytest.mark.parametrize("commits", [4, 6])
def test_a_killed_run_goes_on_to_the_same_end(source: Path, whole: Path, tmp_path: Path, commits: int) -> None:
    """Six spans of fits, then one range of series to serve: each a commit."""
    command = [sys.executable, "-m", "tests.jobs.killed_backtest", str(source), str(tmp_path / "out"), str(commits)]
    done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    study, served = backtest(source, tmp_path / "out")
    assert study.todo.done == commits
    assert [one.state for one in served.summaries] == ["finished"] * 2
    assert digests(tmp_path / "out") == digests(whole)


@pytest.mark.slow
def test_a_cluster_gives_the_same(source: Path, whole: Path, tmp_path: Path) -> None:
    backtest(source, tmp_path / "out", cluster="workstation", workers=2)
    assert digests(tmp_path / "out") == digests(whole)


def test_the_swept_result_equals_each_configuration_alone(source: Path, whole: Path, tmp_path: Path) -> None:
    swept = rows(whole, "forecasts").drop("work_key", "module_id")
    for number, (model, window, refit, policy) in enumerate(
        itertools.product(["seasonal_naive", "naive"], [48, 72], [1, 6], ["update", "stale"])
    ):
        if number % 5:  # some of each kind; all take half a minute
            continue
        alone = tmp_path / f"{number}"
        one = {"models": [model], "windows_h": [window], "refits_h": [refit], "policies": [policy]}
        backtest(source, alone, **one, serving={"least_errors": 5})
        mine = rows(alone, "forecasts").drop("work_key", "module_id")
        chosen = {"model": model, "window_h": window, "refit_h": refit, "policy": policy}
        assert mine.sort(KEY).equals(swept.filter(**chosen).sort(KEY))


@pytest.mark.parametrize("poison", [1e9, float("nan"), 75.0])
def test_nothing_after_an_origin_changes_its_forecasts(
    source: Path, whole: Path, tmp_path: Path, poison: float
) -> None:
    at = MIDNIGHT.replace(day=8)
    frame = pl.read_parquet(source)
    late = pl.when(pl.col("ts") >= at).then(pl.lit(poison)).otherwise("value")
    frame.with_columns(value=late).write_parquet(tmp_path / "poisoned.parquet")
    backtest(tmp_path / "poisoned.parquet", tmp_path / "out")
    known = pl.col("origin") <= at
    same = [*KEY, "yhat", "q10", "q50", "q90", "age_h", "served_by"]
    for name, columns in (("forecasts", same), ("attempts", ["subject_id", "model", "cutoff", "origin", "mean"])):
        clean, dirty = (
            rows(one, name).filter(known).select(columns).sort(columns[:8]) for one in (whole, tmp_path / "out")
        )
        assert clean.height > 0
        assert dirty.equals(clean)


def test_another_serving_needs_no_fit(whole: Path, source: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    backtest(source, output)
    before = digests(output)
    (tmp_path / "if.yaml").write_text("serving:\n  ensembles: [{name: mean, weights: mean}]\n  quantiles: model\n")
    store, served = re_serve(settings(source, output), str(tmp_path / "if.yaml"), ignore)
    assert [set(one.rows) & {"fits", "attempts"} for one in served.summaries] == [set()]
    after = digests(output)
    assert (after["fits"], after["attempts"]) == (before["fits"], before["attempts"])
    shown = pl.DataFrame(pl.from_arrow(query(store, "select distinct model from forecasts order by 1")))
    assert shown["model"].to_list() == ["mean", "naive", "seasonal_naive"]
    (tmp_path / "bad.yaml").write_text("serving: {quantile: model}\n")
    with pytest.raises(ConfigError, match="did you mean 'quantiles'"):
        re_serve(settings(source, output), str(tmp_path / "bad.yaml"), ignore)
    with pytest.raises(UserError, match="no backtest has been here"):
        re_serve(settings(source, tmp_path / "empty"), str(tmp_path / "if.yaml"), ignore)
    with pytest.raises(UserError, match="3 of 6 spans of fits are not stored"):
        re_serve(settings(source, output, models=["naive", "window_average"]), str(tmp_path / "if.yaml"), ignore)


def test_mistakes_are_named(source: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"seasonal_naiv.*seasonal_naive"):
        prepare(settings(source, tmp_path / "out", models=["seasonal_naiv"]))
    with pytest.raises(UserError, match="P0, hr_bpm: two inputs have this series"):
        prepare(settings(source, tmp_path / "out", series=[{"uri": str(source)}, {"uri": str(source)}]))
    with pytest.raises(ConfigError, match="no series"):
        prepare(settings(source, tmp_path / "out", series=[]))
    with pytest.raises(ConfigError, match="no such file"):
        prepare(settings(source, tmp_path / "out", series=[{"uri": str(tmp_path / "none.csv")}]))


def test_the_command_plans_runs_ranks_and_answers(source: Path, tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text(
        json.dumps(SMALL | {"series": [{"uri": str(source)}], "output": str(tmp_path / "o")})
    )
    code, told = run("plan", str(tmp_path / "b.yaml"))
    assert code == 0
    assert "3 series · 144 origins" in told
    assert "6 spans of fits, 0 up to date" in told
    code, told = run("backtest", str(tmp_path / "b.yaml"))
    assert code == exits.FINISHED
    assert "leaderboard: 24 configurations over 3 users" in told
    assert "report.html" in told
    assert (tmp_path / "o" / "report.html").stat().st_size > 10_000
    code, told = run("plan", str(tmp_path / "b.yaml"), "--json")
    assert json.loads(told)["done_spans"] == 6
    narrow = ["--models=naive", "--windows=24,expanding", "--refits=6", "--horizon=2", "--evaluate=24", "--in-process"]
    said = [run("plan", str(tmp_path / "b.yaml"), "--json", *more)[1] for more in ((), ("--pilot",))]
    plans = [json.loads(one.splitlines()[-1]) for one in said]
    costs = [{row["model"]: row["cpu_s"] for row in plan["models"]} for plan in plans]
    assert all(costs[0][name] != costs[1][name] > 0 for name in ("naive", "seasonal_naive"))
    assert plans[0]["to_do"]["spans"] == plans[1]["to_do"]["spans"]
    code, told = run("backtest", str(source), "-o", str(tmp_path / "o"), *narrow, "--json", "--progress", "json")
    ranked = json.loads(told[told.index('{"runs"') :])
    assert {(row["model"], row["window_h"]) for row in ranked["leaderboard"]} == {("naive", 24), ("naive", None)}
    assert ranked["comparable"]
    (tmp_path / "w.yaml").write_text("serving:\n  exclusions:\n    budget_s: 1.0\n")
    code, told = run("backtest", str(source), "-o", str(tmp_path / "o"), *narrow, "--what-if", str(tmp_path / "w.yaml"))
    assert "not comparable: budget_s" in told
    for words in (["status"], ["errors"], ["tables"], ["gc"], ["compact"]):
        assert run(*words, str(tmp_path / "o"))[0] == 0
    assert run("query", str(tmp_path / "o"), "select count(*) from forecasts")[0] == 0


def test_an_output_is_of_one_kind(source: Path, tmp_path: Path) -> None:
    (tmp_path / "o").mkdir()
    backtest(source, tmp_path / "o", models=["naive"])
    with pytest.raises(ConfigError, match="holds a backtest"):
        run("plan", str(tmp_path), "-o", str(tmp_path / "o"), "--zone", "UTC")


@pytest.mark.real
def test_stays_of_an_intensive_care_unit_end_as_rows_with_reasons(shared_data: Path, tmp_path: Path) -> None:
    some = {
        "series": [
            {"uri": str(shared_data / "vitals_sepsis2019" / "psv_first400.zip"), "vitals": ["hr_bpm"], "at_least_h": 60}
        ]
    }
    told = {"models": ["seasonal_naive", "theta"], "windows_h": [24, 48], "refits_h": [6], "policies": ["update"]}
    study, _ = backtest(tmp_path, tmp_path / "out", **some, **told, evaluate_h="all")
    fits, forecasts = rows(tmp_path / "out", "fits"), rows(tmp_path / "out", "forecasts")
    assert set(fits["status"]) <= {"ok", "too_short", "constant"}
    assert fits.filter(pl.col("status") == "too_short")["error_message"].null_count() == 0
    assert study.sweep.models["fits"].sum() == fits.filter(pl.col("status") != "too_short").height > 100
    assert forecasts.height == rows(tmp_path / "out", "origins").height * 3 * 2 * 6  # the median too
    silent = forecasts.filter(pl.col("yhat").is_null())
    assert silent["served_by"].unique().to_list() == ["none"]
    assert set(silent["status"]) <= {"no_history", "stale_data", "skipped_missing", "too_short", "no_members"}
    assert rows(tmp_path / "out", "scores").filter(pl.col("mase") < 1).height > 0
