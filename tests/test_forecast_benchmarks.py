"""The benchmarks of forecasting still run and score as they should; how fast is not judged here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.backtest_cost import apart, compare, errors
from engine.backtest.scores.metrics import mase, seasonal_scale

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


@pytest.mark.real
@pytest.mark.slow
def test_m4_scores_the_first_series(shared_data: Path, tmp_path: Path) -> None:
    result = tmp_path / "result.json"
    options = ["--series", "2", "--arima", "0", "--data", str(shared_data / "forecast"), "--json", str(result)]
    done = subprocess.run(
        [sys.executable, str(BENCHMARKS / "m4.py"), *options], check=False, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads(result.read_text())
    assert len(rows) == 10
    assert all(row["series"] == 2 and row["failed"] == 0 for row in rows)
    assert "published MASE" in done.stdout


def test_errors_are_scaled_by_all_data_up_to_their_origin() -> None:
    y = np.random.default_rng(0).normal(70, 5, 120)
    origin, path = np.array([50, 96]), np.full((2, 24), 71.0)
    expected = [mase(y[o : o + 24], p, seasonal_scale(y[:o], 24)) for o, p in zip(origin.tolist(), path, strict=True)]
    assert errors(y, origin, path) == pytest.approx(expected)
    assert np.isnan(errors(np.full(120, 3.0), origin, path)).all()


def test_bounds_lie_above_the_ratio() -> None:
    theirs = np.random.default_rng(1).gamma(4, 0.25, 80)
    found = compare(0.9 * theirs, theirs)
    assert found["mean ratio"] == pytest.approx(0.9) and found["median ratio"] == pytest.approx(0.9)
    noisy = compare(theirs * np.random.default_rng(2).uniform(0.7, 1.3, 80), theirs)
    assert noisy["≤ (95 %)"] > noisy["mean ratio"] and noisy["median ≤ (95 %)"] >= noisy["median ratio"]


def test_the_library_fits_as_often_as_there_are_configurations_and_cutoffs() -> None:
    assert apart().fits == 3 * (168 + 84 + 28 + 7)
