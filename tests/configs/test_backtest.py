"""Settings of a backtest: the shipped file states the defaults, and mistakes are named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from configs.backtest import BacktestSettings
from configs.read import load_as, shipped
from engine.backtest.grid import Grid, ModelSpec, Policy
from engine.backtest.serve.settings import Serving, Weights
from engine.errors import ConfigError


def of(flags: dict[str, Any]) -> BacktestSettings:
    return load_as(BacktestSettings, None, flags)


def test_the_shipped_example_states_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text(shipped("backtest.yaml"))
    example = load_as(BacktestSettings, tmp_path / "b.yaml", {})
    assert example == BacktestSettings(series=example.series, output=example.output)
    assert [one.uri for one in example.series] == ["nightmill-out"]


def test_settings_become_a_grid_and_a_serving() -> None:
    told = of(
        {
            "models": ["theta", "pkg.mod:Mine", {"name": "t2", "ref": "theta", "parameters": {"season_h": 12}}],
            "windows_h": [24, "expanding"],
            "policies": ["stale"],
            "evaluate_h": "all",
            "season_h": 12,
            "serving": {"ensembles": [{"name": "e", "weights": "mean"}], "on_failure": []},
        }
    )
    grid = told.grid()
    specs = (ModelSpec("theta", "theta"), ModelSpec("Mine", "pkg.mod:Mine"), ModelSpec("t2", "theta", {"season_h": 12}))
    assert grid.models == specs
    assert (grid.windows_h, grid.policies, grid.evaluate_h) == ((24, None), (Policy.STALE,), None)
    serving = told.serve()
    assert (serving.on_failure, serving.season_h, serving.ensembles[0].weights) == ((), 12, Weights.MEAN)


def test_defaults_are_those_of_the_engine() -> None:
    grid = BacktestSettings().grid()
    for name in ("horizon_h", "every_h", "evaluate_h", "phase_h", "select_h", "anchor_h", "evaluations", "keep_params"):
        assert getattr(grid, name) == getattr(Grid(()), name), name
    assert BacktestSettings().serve() == Serving()


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"windos_h": [1]}, "unknown key 'windos_h'; did you mean 'windows_h'"),
        ({"serving": {"ensembels": []}}, "unknown key 'serving.ensembels'; did you mean 'ensembles'"),
        ({"models": ["a", {"nam": "x"}]}, "models.1.name"),
        ({"windows_h": ["exp"]}, "windows_h.0: 'exp' is neither hours such as 168 nor 'expanding'"),
        ({"evaluate_h": 0}, "evaluate_h: 0 is neither hours such as 168 nor 'all'"),
        ({"series": [{"uri": "x", "colums": {}}]}, "unknown key 'series.0.colums'; did you mean 'columns'"),
        ({"refits_h": []}, "refits_h: name at least one"),
        ({"models": ["theta", "theta"]}, "models: something is named twice"),
        ({"policies": ["upd"]}, "policies.0: Input should be 'update' or 'stale'"),
    ],
)
def test_mistakes_are_named(written: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        of(written)
