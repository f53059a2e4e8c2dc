from __future__ import annotations

import numpy as np
import pytest

from engine.backtest.scores import metrics

Y, F = [60, 62, 61, 65, 64], [61, 61, 63, 64, 66]
TRAIN = [58, 60, 59, 61, 60, 62]


def test_known_answer_h4() -> None:
    low, high = np.subtract(F, 3), np.add(F, 3)
    assert metrics.mae(Y, F) == pytest.approx(1.4, rel=1e-12)
    assert metrics.rmse(Y, F) == pytest.approx(1.483239697, rel=1e-9)
    assert metrics.mape(Y, F) == pytest.approx(2.244343991, rel=1e-9)
    assert metrics.smape(Y, F) == pytest.approx(2.226405190, rel=1e-9)
    assert metrics.seasonal_scale(TRAIN, 1) == pytest.approx(1.6, rel=1e-12)
    assert metrics.mase(Y, F, 1.6) == pytest.approx(0.875, rel=1e-12)
    assert metrics.pinball(Y, F, 0.9) == pytest.approx(0.46, rel=1e-12)
    assert metrics.pinball(Y, F, 0.1) == pytest.approx(0.94, rel=1e-12)
    assert metrics.interval_score(Y, low, high) == pytest.approx(6.0, rel=1e-12)
    assert metrics.coverage(Y, low, high) == 1.0


def test_bias_is_positive_where_the_forecast_is_too_low() -> None:
    assert metrics.bias([3, 5], [1, 3]) == 2.0


def test_a_miss_costs_ten_times_its_distance() -> None:
    assert metrics.interval_score([10], [11], [13]) == pytest.approx(2 + 10 * 1)
    assert metrics.interval_score([15], [11], [13]) == pytest.approx(2 + 10 * 2)


def test_wis_is_the_mean_of_pinball_losses() -> None:
    rng = np.random.default_rng(3)
    y, mid = rng.normal(60, 5, 50), rng.normal(60, 2, 50)
    low, high = mid - 3, mid + 4
    pinballs = metrics.pinball(y, low, 0.1) + metrics.pinball(y, mid, 0.5) + metrics.pinball(y, high, 0.9)
    assert metrics.wis(y, mid, {0.2: (low, high)}) == pytest.approx(pinballs / 1.5, rel=1e-12)
    assert metrics.wis(y, mid, {}) == pytest.approx(metrics.mae(y, mid), rel=1e-12)
    assert metrics.wql(y, {0.1: low, 0.5: mid, 0.9: high}) == pytest.approx(
        2 * pinballs * 50 / 3 / np.abs(y).sum(), rel=1e-12
    )


def test_rmsse_of_the_naive_forecast_on_its_own_differences_is_one() -> None:
    history = np.array([1.0, 4, 2, 7, 5])
    square = float(np.mean(np.diff(history) ** 2))
    assert metrics.rmsse(history[1:], history[:-1], square) == pytest.approx(1.0)


def test_undefined_is_nan_and_no_warning() -> None:
    assert np.isnan(metrics.mase(Y, F, 0.0))
    assert np.isnan(metrics.rmsse(Y, F, 0.0))
    assert np.isnan(metrics.mape([0, 1], [1, 1]))
    assert np.isnan(metrics.wql([0], {0.5: [1]}))
    assert np.isnan(metrics.mae([], []))
    assert metrics.smape([0, 1], [0, 1]) == 0.0
