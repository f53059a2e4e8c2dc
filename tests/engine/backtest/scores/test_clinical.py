from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from engine.backtest.scores.clinical import agreement, weighted_kappa
from engine.vitals.severity import MILD, MODERATE, SEVERE

START = datetime(2024, 1, 1, tzinfo=UTC)


def _frame(rows: list[tuple[str, int, int, str, float | None, float | None]]) -> pl.LazyFrame:
    """(subject, hour, step, vital, y, yhat)."""
    names = ["subject_id", "ts", "step", "vital", "y", "yhat"]
    found = pl.DataFrame(rows, schema=names, orient="row")
    return (
        found.with_columns(ts=pl.col("ts").map_elements(lambda h: START + timedelta(hours=h), pl.Datetime("us", "UTC")))
        .with_columns(status=pl.lit("ok"))
        .lazy()
    )


def test_both_sides_are_scored_on_what_was_observed() -> None:
    found = agreement(
        _frame(
            [
                ("a", 0, 1, "hr_bpm", 72.0, 75.0),  # mild, mild
                ("a", 0, 1, "rr_brpm", None, 40.0),  # no truth: no alarm either
                ("a", 1, 1, "hr_bpm", 140.0, 128.0),  # severe, mild
                ("a", 2, 1, "hr_bpm", 135.0, 135.0),  # severe, severe
                ("b", 0, 1, "spo2_pct", 91.0, 95.0),  # moderate, mild
                ("b", 0, 1, "skin_temp_c", 45.0, 45.0),  # no parameter of NEWS2
            ]
        )
    )
    expected = np.zeros((3, 3), np.int64)
    expected[MILD, MILD] = expected[SEVERE, MILD] = expected[SEVERE, SEVERE] = expected[MODERATE, MILD] = 1
    assert found.severity.tolist() == expected.tolist()
    assert found.band.sum() == 4
    assert (found.missed_severe, found.false_severe, found.n_severe) == (0.5, 0.0, 2)


def test_a_missing_forecast_is_a_missed_one() -> None:
    found = agreement(_frame([("a", 0, 1, "hr_bpm", 140.0, None), ("a", 1, 1, "hr_bpm", 72.0, None)]))
    assert found.unanswered.tolist() == [1, 0, 1]
    assert (found.missed_severe, found.n) == (1.0, 2)
    assert np.isnan(found.kappa)


def test_where_nothing_is_to_be_published_nothing_is_missed() -> None:
    rows = _frame([("a", 0, 1, "hr_bpm", 140.0, None), ("a", 1, 1, "hr_bpm", 140.0, None)])
    told = rows.with_columns(status=pl.Series(["stale_data", "error"]))
    assert agreement(told).unanswered.tolist() == [0, 0, 1]


def test_lead_time_is_of_forecasts_that_held() -> None:
    rows = [("a", 9, step, "hr_bpm", 80.0, 80.0) for step in (1, 2, 3, 4)]
    for step, yhat in ((1, 135.0), (2, 140.0), (3, 80.0), (4, 150.0)):
        rows.append(("a", 10, step, "hr_bpm", 140.0, yhat))
    rows += [("a", 11, step, "hr_bpm", 140.0, 140.0) for step in (1, 2, 3, 4)]  # no onset
    rows += [("b", 0, step, "hr_bpm", 140.0, 140.0) for step in (1, 2)]  # severe from the start: no onset
    rows += [("c", 0, 1, "hr_bpm", 80.0, 80.0), ("c", 1, 1, "hr_bpm", 140.0, 80.0)]  # missed
    rows += [("d", 0, 1, "hr_bpm", 80.0, 80.0), ("d", 1, 2, "hr_bpm", 140.0, 140.0)]  # the nearest is missing
    assert agreement(_frame(rows)).lead_h.tolist() == [2, 0, 0]  # type: ignore[arg-type]


def test_kappa() -> None:
    perfect = np.diag([5, 3, 2])
    assert weighted_kappa(perfect) == 1.0
    assert np.isnan(weighted_kappa(np.array([[5, 0], [0, 0]])))
    near, far = np.array([[4, 1, 0], [0, 3, 0], [0, 0, 2]]), np.array([[4, 0, 1], [0, 3, 0], [0, 0, 2]])
    assert weighted_kappa(near) > weighted_kappa(far)


def test_kappa_equals_scikit_learn() -> None:
    cohen_kappa_score = pytest.importorskip("sklearn.metrics").cohen_kappa_score
    rng = np.random.default_rng(0)
    actual, said = rng.integers(0, 3, 200), rng.integers(0, 3, 200)
    counts = np.bincount(actual * 3 + said, minlength=9).reshape(3, 3)
    assert weighted_kappa(counts) == pytest.approx(cohen_kappa_score(actual, said, weights="quadratic"), rel=1e-12)


def test_nothing_to_compare() -> None:
    found = agreement(_frame([("a", 0, 1, "skin_temp_c", 34.0, 34.0)]))
    assert found.n == 0
    assert np.isnan(found.missed_severe)
    assert len(found.lead_h) == 0
