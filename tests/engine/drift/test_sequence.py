from __future__ import annotations

import numpy as np
import pytest

from engine.drift.sequence import changes, daily_medians


def test_daily_medians_need_five_values() -> None:
    x = np.array([1.0, 2, 3, 4, 100, 7, 7, 7, 7, np.nan, 5, 5, 5, 5, 6, 6])
    day = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 3, 3, 3, 3, 3, 3])
    np.testing.assert_array_equal(daily_medians(x, day, 5), [3.0, np.nan, np.nan, 5.0, np.nan])
    order = np.random.default_rng(0).permutation(len(x))
    np.testing.assert_array_equal(daily_medians(x[order], day[order], 5), [3.0, np.nan, np.nan, 5.0, np.nan])
    assert np.isnan(daily_medians(np.zeros(0), np.zeros(0, np.int64), 3)).all()


@pytest.mark.parametrize(("scale", "level"), [(1.0, 0.0), (0.01, 34.0)])
def test_changes_are_told_in_the_references_own_spread(scale: float, level: float) -> None:
    x = np.random.default_rng(3).normal(0, 1, 60)
    assert dict(changes(level + scale * x, 40, 0)) == {"page_hinkley": None, "adwin": None}
    x[40:] += 8
    assert dict(changes(level + scale * x, 40, 0)) == {"page_hinkley": 46, "adwin": 48}
    assert dict(changes(level + scale * x, 40, 53))["page_hinkley"] is None, "told earlier"


def test_days_without_a_median_are_passed_over() -> None:
    x = np.random.default_rng(3).normal(0, 1, 60)
    x[40:] += 8
    x[[5, 41]] = np.nan
    assert dict(changes(x, 40, 0))["page_hinkley"] == 47


def test_nothing_is_said_of_few_days_or_of_what_never_varied() -> None:
    x = np.random.default_rng(3).normal(0, 1, 60)
    assert list(changes(x[:29], 20, 0)) == []
    assert list(changes(np.ones(60), 40, 0)) == []
    x[:40] = np.nan
    assert list(changes(np.concatenate([x, x[40:]]), 40, 0)) == []
