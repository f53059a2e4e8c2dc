"""Stored fits forecast again what they forecast then."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from engine.backtest.reload import reload
from engine.errors import UserError
from engine.storage import Store
from tests.jobs.backtests import backtest, rows, write_series

MODELS = ["seasonal_naive", "theta", "stlm_ets", "holt_winters"]


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reload")
    write_series(folder / "long.parquet", users=1)
    backtest(folder / "long.parquet", folder / "out", models=MODELS, windows_h=[72], refits_h=[6])
    return folder / "out"


@pytest.mark.parametrize("model", MODELS)
def test_a_stored_fit_forecasts_again_to_the_bit(output: Path, model: str) -> None:
    kept = rows(output, "fits").filter(pl.col("model") == model, pl.col("params_json").is_not_null())
    attempts = rows(output, "attempts").filter(pl.col("model") == model, pl.col("cutoff") == pl.col("origin"))
    then = {row["fit_id"]: row for row in attempts.iter_rows(named=True)}
    assert kept.height
    for fit_id in kept["fit_id"]:
        again = reload(Store(output), fit_id)
        stored = then[fit_id]
        lead, steps = stored["lead_h"], len(stored["mean"])
        paths = again.forecast(lead + steps)
        np.testing.assert_array_equal(paths.mean[0, lead:], stored["mean"])
        assert paths.low is not None
        np.testing.assert_array_equal(paths.low[0, lead:], stored["low"])


def test_what_is_not_stored_says_so(output: Path) -> None:
    bare = rows(output, "fits").filter(pl.col("params_json").is_null())["fit_id"][0]
    with pytest.raises(UserError, match="keep_params: all"):
        reload(Store(output), bare)
    with pytest.raises(UserError, match="no fit 0000"):
        reload(Store(output), "0000")
