from __future__ import annotations

import numpy as np
import pytest

from engine.backtest.scores.skill import ratios, skill


def test_a_ratio_and_its_inverse_cancel() -> None:
    assert skill([2.0, 0.5], [1.0, 1.0]) == pytest.approx(0.0, abs=1e-15)


def test_one_absurd_task_is_clipped() -> None:
    assert ratios([1e9], [1.0]).tolist() == [100.0]
    assert skill([0.0], [1.0]) == pytest.approx(0.99)


def test_a_task_without_errors_is_left_out_not_taken_for_perfect() -> None:
    assert skill([np.nan, 0.8], [1.0, 1.0]) == pytest.approx(0.2)
    assert np.isnan(skill([np.nan], [1.0]))
    assert np.isnan(skill([], []))
