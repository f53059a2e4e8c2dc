"""Parameters of old fits go, and only they."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from engine.backtest import retention
from engine.backtest.reload import reload
from engine.commit import Journal, recover
from engine.errors import UserError
from engine.storage import Store
from tests.jobs.backtests import backtest, rows, run, write_series

MARKS = ["params_json", "params_dropped"]
SWEEP = {"models": ["seasonal_naive", "holt_winters"], "windows_h": [72], "refits_h": [6]}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("retention")
    write_series(folder / "long.parquet", users=2)
    backtest(folder / "long.parquet", folder / "out", **SWEEP)
    return folder


@pytest.fixture
def output(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made / "out", tmp_path / "out")
    return tmp_path / "out"


def _fits(output: Path) -> pl.DataFrame:
    return rows(output, "fits").sort("subject_id", "model", "cutoff")


def test_old_fits_lose_their_parameters_and_nothing_else(output: Path) -> None:
    before = _fits(output)
    limit = before["cutoff"].max() - timedelta(days=1)  # type: ignore[operator]
    gone = before.filter((pl.col("cutoff") < limit) & pl.col("params_json").is_not_null())
    told = retention.drop(Store(output), 1)
    after = _fits(output)
    assert (told.before, told.fits) == (limit, gone.height) and told.fits and told.size_bytes > 100
    assert after.drop(MARKS).equals(before.drop(MARKS))
    assert after.filter(pl.col("params_dropped"))["fit_id"].sort().equals(gone["fit_id"].sort())
    kept = after.filter(pl.col("params_json").is_not_null())
    assert kept.height == before["params_json"].count() - gone.height > 0
    assert kept["cutoff"].min() >= limit and kept["params_dropped"].null_count() == kept.height  # type: ignore[operator]
    assert retention.drop(Store(output), 1).fits == 0


def test_reload_says_why_a_fit_has_no_parameters(output: Path) -> None:
    retention.drop(Store(output), 1)
    after = _fits(output)
    dropped = after.filter(pl.col("params_dropped"))["fit_id"][0]
    with pytest.raises(UserError, match=r"dropped by age .*keep_params: all"):
        reload(Store(output), dropped)
    failed = after.filter(pl.col("status") == "too_short")
    if failed.height:
        with pytest.raises(UserError, match="its status is too_short"):
            reload(Store(output), failed["fit_id"][0])
    reload(Store(output), after.filter(pl.col("params_json").is_not_null())["fit_id"][0]).forecast(3)


def test_killed_in_the_middle(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The intent is the commit: what follows it is completed by whatever comes next."""

    def killed(*args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "_finish", killed)
        with pytest.raises(KeyboardInterrupt):
            retention.drop(Store(output), 1)
    assert _fits(output)["params_dropped"].null_count() == _fits(output).height
    recover(Store(output))
    assert _fits(output)["params_dropped"].sum() > 0
    assert retention.find(Store(output), 1).fits == 0


def test_the_command_says_what_would_go_and_fits_stay_done(made: Path, output: Path) -> None:
    code, text = run("gc", str(output), "--params-days", "1")
    assert code == 0 and "would go" in text and "--yes drops them" in text
    assert _fits(output)["params_dropped"].null_count() == _fits(output).height
    assert "dropped the parameters of" in run("gc", str(output), "--params-days", "1", "--yes")[1]
    assert "no fit with a cutoff before" in run("gc", str(output), "--params-days", "1")[1]
    code, text = run("gc", str(output), "--params-days", "1", "--json")
    assert json.loads(text)["fits"] == 0
    runs = rows(output, "runs").height
    backtest(made / "long.parquet", output, **SWEEP)
    assert rows(output, "runs").height == runs
    assert retention.find(Store(output), 1).fits == 0


def test_only_a_backtest_has_parameters(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="only a backtest stores parameters"):
        retention.drop(Store(tmp_path), 1)
