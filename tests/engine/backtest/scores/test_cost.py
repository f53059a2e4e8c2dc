from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from engine.backtest.scores.cost import cpu_by_configuration


def _fits(hours: list[int], role: str = "asked", status: str = "ok") -> pl.DataFrame:
    start = datetime(2024, 1, 1, tzinfo=UTC)
    return pl.DataFrame(
        {
            "model": "ets",
            "window_h": pl.Series([72] * len(hours), dtype=pl.Int64),
            "cutoff": [start + timedelta(hours=h) for h in hours],
            "role": role,
            "cpu_s": 1.0,
            "status": status,
        }
    )


def test_each_refit_pays_for_its_own_cutoffs_and_all_for_the_anchors() -> None:
    fits = pl.concat([_fits(list(range(1, 48))), _fits([0], "anchor"), _fits([48], status="error")])
    found = cpu_by_configuration(fits.lazy(), (1, 6, 24), phase_h=0, every_h=1)
    assert found["refit_h"].to_list() == [1, 6, 24]
    assert found["n_fits"].to_list() == [49, 9, 3]
    assert found["n_ok"].to_list() == [48, 8, 2]
    assert found["cpu_s"].to_list() == pytest.approx([49, 9, 3])


def test_a_cutoff_that_serves_no_origin_costs_nothing() -> None:
    fits = _fits([0, 2, 4, 6, 12]).lazy()  # origins every 6 h: with a refit every 2 h, 2 and 4 are others'
    assert cpu_by_configuration(fits, (2,), 0, 6)["n_fits"].to_list() == [3]
    assert cpu_by_configuration(fits, (4,), 0, 6)["n_fits"].to_list() == [3]  # 0, 4 (for 6), 12
