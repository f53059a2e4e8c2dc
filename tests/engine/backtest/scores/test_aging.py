from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from engine.backtest.scores.aging import aging, pairs_of

START = datetime(2024, 1, 1, tzinfo=UTC)


def _forecasts(model: str, refit_h: int, error: np.ndarray, served_by: str = "fit") -> pl.DataFrame:
    hours = np.arange(len(error))
    return pl.DataFrame(
        {
            "subject_id": "a",
            "vital": "hr_bpm",
            "model": model,
            "window_h": pl.Series([None] * len(error), dtype=pl.Int64),
            "refit_h": pl.Series([refit_h] * len(error), dtype=pl.Int64),
            "policy": "update",
            "origin": [START + timedelta(hours=int(h)) for h in hours],
            "step": 1,
            "y": 70.0,
            "yhat": 70.0 + error,
            "age_h": pl.Series(hours % refit_h, dtype=pl.Int64),
            "served_by": served_by,
        }
    )


def _board(*rows: tuple[str, int | None, int]) -> pl.DataFrame:
    return pl.DataFrame(
        [(*row, "update") for row in rows],
        schema={"model": pl.String, "window_h": pl.Int64, "refit_h": pl.Int64, "policy": pl.String},
        orient="row",
    )


def test_hard_hours_are_no_aging() -> None:
    hard = 1.0 + np.arange(48) % 24  # every age is an hour of the day
    chosen = pairs_of(_board(("ets", None, 24), ("ets", None, 1)))
    rows = pl.concat([_forecasts("ets", 24, hard), _forecasts("ets", 1, hard)]).lazy()
    found = aging(rows, chosen)
    assert found["age_h"].to_list() == list(range(24))
    assert found["ratio"].to_list() == pytest.approx([1.0] * 24)
    older = pl.concat([_forecasts("ets", 24, hard * (1 + np.arange(48) % 24)), _forecasts("ets", 1, hard)]).lazy()
    assert aging(older, chosen)["ratio"].to_list() == pytest.approx(range(1, 25))


def test_rows_of_a_stand_in_do_not_count() -> None:
    chosen = pairs_of(_board(("ets", None, 2), ("ets", None, 1)))
    lent = _forecasts("ets", 2, np.ones(4), "seasonal_naive")
    assert aging(pl.concat([lent, _forecasts("ets", 1, np.ones(4))]).lazy(), chosen).is_empty()


def test_twins() -> None:
    board = _board(("ets", 72, 24), ("theta", None, 24), ("ets", 168, 24), ("ets", 72, 1), ("theta", None, 1))
    assert pairs_of(board).rows() == [("ets", 72, 24, "update", 1), ("theta", None, 24, "update", 1)]
    assert pairs_of(_board(("ets", 72, 24))).is_empty()
    assert pairs_of(_board(("ets", 72, 24), ("theta", 72, 1))).is_empty()
