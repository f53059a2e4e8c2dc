from __future__ import annotations

import numpy as np

from engine.backtest.scores.pareto import front


def test_equals_brute_force() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        cost, error = rng.integers(0, 6, 12).astype(float), rng.integers(0, 6, 12).astype(float)
        expected = [
            not any(
                (cost[j] <= cost[i] and error[j] < error[i]) or (cost[j] < cost[i] and error[j] <= error[i])
                for j in range(12)
            )
            for i in range(12)
        ]
        assert front(cost, error).tolist() == expected


def test_what_is_unknown_is_on_no_front() -> None:
    assert front(np.array([np.nan, 1, 2]), np.array([0, np.nan, 5.0])).tolist() == [False, False, True]
    assert front(np.zeros(0), np.zeros(0)).tolist() == []
