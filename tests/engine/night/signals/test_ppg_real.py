"""The floors of accuracy on real wrists and a finger; `benchmarks/heart_rate.py` prints the whole table."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from benchmarks import heart_rate

pytestmark = pytest.mark.real
NURSES = ("5C/5C_1587649438", "6D/6D_1595339521", "7E/7E_1604935657", "7E/7E_1604965789")


@pytest.fixture(scope="module")
def stress(shared_data: Path) -> list[heart_rate.Session]:
    return heart_rate.measure_all(sorted((shared_data / "stress_predict/raw").glob("*.zip")))


def test_rate_against_the_device(stress: list[heart_rate.Session]) -> None:
    rows = [heart_rate.summary(one) for one in stress]
    assert len(rows) == 8
    assert sum(row["median"] <= 2.5 for row in rows) >= 7
    assert sum(row["kept"] >= 0.45 for row in rows) >= 7
    assert np.mean(np.concatenate([one.kept[one.told] for one in stress])) >= 0.55


def test_rate_against_the_intervals_of_the_device(stress: list[heart_rate.Session]) -> None:
    rows = [heart_rate.summary(one) for one in stress]
    assert all(row["ibi_median"] <= 1.0 for row in rows)
    assert all(row["ibi_epochs"] >= 10 for row in rows)


def test_known_answer_a1b_polarity(stress: list[heart_rate.Session]) -> None:
    assert all(one.seen >= 0.97 for one in stress)


def test_error_falls_over_the_bins_of_quality(stress: list[heart_rate.Session], shared_data: Path) -> None:
    nurses = heart_rate.measure_all([shared_data / f"nurse_e4/{name}.zip" for name in NURSES])
    bins = heart_rate.pooled_bins([*stress, *nurses])
    for name in ("median", "mean"):
        errors = [row[name] for row in bins]
        assert all(better < worse for worse, better in pairwise(errors)), (name, errors)


def test_finger_against_the_oximeter(shared_data: Path) -> None:
    found = heart_rate.finger(shared_data)
    assert found["mae"] <= 1.5
    assert found["kept"] >= 0.8
