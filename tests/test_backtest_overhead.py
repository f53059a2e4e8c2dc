"""The benchmark of a backtest's overhead still counts what it should; how fast is not judged here."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.backtest_overhead import FEW_DAYS, SMALL, generate, measure


def test_stages_add_up(tmp_path: Path) -> None:
    generate(tmp_path / "series.parquet", 2, FEW_DAYS)
    found = measure(tmp_path / "series.parquet", tmp_path / "out", "seasonal_naive", SMALL)
    origins, refits, steps = SMALL["evaluate_h"], SMALL["refits_h"], SMALL["horizon_h"]
    assert found["rows"] == 2 * origins * len(refits) * steps
    assert set(found["stages"]) == {"plan", "fits", "serving", "commits", "scores"}
    assert sum(found["stages"].values()) == pytest.approx(found["cpu_s"])
    assert 0 < found["inside"] < 1
