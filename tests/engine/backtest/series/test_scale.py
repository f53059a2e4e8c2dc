"""MASE's and RMSSE's denominators against the definition, origin by origin."""

from __future__ import annotations

import numpy as np
import pytest

from engine.backtest.series.asof import at, states
from engine.backtest.series.scale import scales
from engine.backtest.series.series import Series

from .rows import random_rows
from .test_asof import by_vital


def naive(values: np.ndarray, m: int) -> tuple[int, float, float]:
    found = [values[t] - values[t - m] for t in range(m, len(values)) if np.isfinite(values[t] - values[t - m])]
    if len(found) < 24 or not any(found):
        return len(found), np.nan, np.nan
    return len(found), float(np.mean(np.abs(found))), float(np.sqrt(np.mean(np.square(found))))


@pytest.mark.parametrize("m", [1, 24])
@pytest.mark.parametrize("late", [False, True])
def test_against_the_definition(m: int, late: bool) -> None:
    series = by_vital(random_rows(8, 200, late))["dbp_mmhg"]
    instants = np.arange(0, 230)
    found = scales(states(series, instants), m)
    for i, o in enumerate(instants.tolist()):
        known = at(series, o)
        n, mase, rmsse = naive(known.values[: max(0, o - known.start)], m)
        assert found.n[i] == n
        assert found.mase[i] == pytest.approx(mase, rel=1e-12, nan_ok=True)
        assert found.rmsse[i] == pytest.approx(rmsse, rel=1e-12, nan_ok=True)


def test_known_answer_of_domain_h4() -> None:
    """Scale 1.6 at m = 1 of [58, 60, 59, 61, 60, 62], repeated to have enough differences."""
    values = np.array([58.0, 60, 59, 61, 60, 62] + [60.4, 62.0] * 12)
    (scale,) = scales(states(Series("a", "value", 0, values), np.array([len(values)])), 1).mase
    assert scale == pytest.approx(1.6)


def test_undefined_below_24_differences_and_where_constant() -> None:
    values = np.random.default_rng(0).normal(size=60)
    found = scales(states(Series("a", "hr_bpm", 0, values), np.array([47, 48])), 24)
    assert np.isfinite(found.mase).tolist() == [False, True]
    assert found.n.tolist() == [23, 24]
    found = scales(states(Series("a", "hr_bpm", 0, np.ones(60)), np.array([60])), 24)
    assert np.isnan(found.mase).all() and np.isnan(found.rmsse).all()
    assert found.n.tolist() == [36]


def test_shorter_than_a_season() -> None:
    found = scales(states(Series("a", "hr_bpm", 0, np.ones(5)), np.array([3, 9])), 24)
    assert found.n.tolist() == [0, 0]
    assert scales([], 24).n.tolist() == []


def test_the_future_changes_no_denominator() -> None:
    values = np.random.default_rng(1).normal(80, 5, 200)
    poisoned = np.concatenate([values[:150], np.full(50, 1e9)])
    a, b = (scales(states(Series("a", "hr_bpm", 0, one), np.arange(0, 151)), 24) for one in (values, poisoned))
    assert a.mase.tobytes() == b.mase.tobytes()
    assert a.rmsse.tobytes() == b.rmsse.tobytes()
