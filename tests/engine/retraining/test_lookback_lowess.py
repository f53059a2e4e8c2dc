from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from engine.errors import UserError
from engine.retraining.lookback_lowess import LookbackLowess
from tests.engine.retraining.persons import of_one, rows

E1 = [34.0, 34.1, 33.9, 34.0, 34.2, 34.1, 34.6, 34.5, 34.7, 34.6]


@pytest.mark.parametrize(
    ("iterations", "expected"),
    [(0, [34.528137, 34.571863, 34.664068, 34.635932]), (3, [34.539600, 34.557216, 34.668322, 34.634379])],
)
def test_known_answer_h6(iterations: int, expected: list[float]) -> None:
    nights = of_one("wst_median", E1)
    found = LookbackLowess(7, 0.7, iterations).fit(nights).transform(nights)["wst_median"]
    assert found[:6].null_count() == 6
    np.testing.assert_allclose(found[6:], expected, rtol=0, atol=1e-6)


def test_a_night_without_a_value_has_none_and_is_passed_over() -> None:
    nights = of_one("wst_median", [*E1[:4], None, *E1[4:]])
    found = LookbackLowess().transform(nights)["wst_median"]
    assert found[4] is None
    assert found.null_count() == 7
    assert found[7] != pytest.approx(34.528137, abs=1e-4), "the missing night lies between the dates"


def test_dates_count_not_rows() -> None:
    nights = of_one("wst_median", E1[:7])
    later = nights.with_columns(pl.col("night_date") + pl.duration(days=pl.Series([0, 0, 0, 0, 0, 0, 30])))
    near, far = (LookbackLowess().transform(frame)["wst_median"][6] for frame in (nights, later))
    assert far == pytest.approx(34.6), "no other night is near"
    assert near != far
    shifted = nights.with_columns(pl.col("night_date") + timedelta(365))
    assert LookbackLowess().transform(shifted)["wst_median"].equals(LookbackLowess().transform(nights)["wst_median"])


def test_nothing_later_and_nobody_else_matters() -> None:
    nights = rows(7).drop("target").sort("subject_id", "night_date")
    whole = LookbackLowess(10, 0.5, 2).transform(nights)
    cut = nights["night_date"].sort()[nights.height // 2]
    keep = (nights["night_date"] <= cut) & (nights["subject_id"] == nights["subject_id"][0])
    assert LookbackLowess(10, 0.5, 2).transform(nights.filter(keep)).equals(whole.filter(keep))


@pytest.mark.parametrize(
    "wrong", [{"look_back": 2}, {"look_back": 10**9}, {"frac": 0.3}, {"frac": 1.1}, {"frac": "a"}, {"iterations": -1}]
)
def test_parameters_that_cannot_be(wrong: dict[str, object]) -> None:
    with pytest.raises(UserError, match=next(iter(wrong))):
        LookbackLowess(**wrong).fit(of_one("hr_median", [60.0]))  # type: ignore[arg-type]
