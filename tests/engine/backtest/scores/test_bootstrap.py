from __future__ import annotations

import numpy as np
import pytest

from engine.backtest.scores import bootstrap


def _sums(users: int, configurations: int, seed: int, rows: int = 100) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    level = rng.gamma(20, 0.05, (users, 1))
    return rows * level * rng.normal(1, 0.15, (users, configurations)), np.full((users, configurations), float(rows))


def test_equal_seeds_equal_bits() -> None:
    above, below = _sums(20, 3, 0)
    assert (bootstrap.ratio_draws(above, below, 50) == bootstrap.ratio_draws(above, below, 50)).all()
    assert (bootstrap.ratio_draws(above, below, 50) != bootstrap.ratio_draws(above, below, 50, seed=1)).any()


def test_users_are_drawn_not_rows() -> None:
    """Ten thousand rows of four users tell about four users."""
    above, below = np.array([[1.0], [2], [3], [4]]) * 10_000, np.full((4, 1), 10_000.0)
    low, high = bootstrap.interval(bootstrap.ratio_draws(above, below, 2000))
    assert high[0] - low[0] > 1.5
    spread = bootstrap.ratio_draws(above, below, 2000).std()
    assert spread == pytest.approx(np.std([1, 2, 3, 4]) / 2, rel=0.05)


def test_a_configuration_is_compared_with_itself_in_every_draw() -> None:
    above, below = _sums(30, 1, 1)
    draws = bootstrap.ratio_draws(np.hstack([above, above]), np.hstack([below, below]), 100)
    assert (draws[:, 0] == draws[:, 1]).all()


def test_best_of_36_equals_is_too_good_to_be_true() -> None:
    apparent, honest = [], []
    for seed in range(20):
        above, below = _sums(25, 36, seed)
        mase = above.sum(axis=0) / below.sum(axis=0)
        apparent.append(mase.min() / mase.mean())
        honest.append(bootstrap.best_unseen(above, below, 200) / mase.mean())
    assert np.mean(apparent) < 0.95
    assert np.mean(honest) == pytest.approx(1.0, abs=0.025)
    assert np.mean(honest) > np.mean(apparent) + 0.03


def test_nothing_to_draw_from() -> None:
    assert np.isnan(bootstrap.best_unseen(np.ones((1, 2)), np.ones((1, 2))))
    assert np.isnan(bootstrap.best_unseen(np.zeros((3, 2)), np.zeros((3, 2))))
    low, high = bootstrap.interval(bootstrap.ratio_draws(np.zeros((3, 1)), np.zeros((3, 1)), 5))
    assert np.isnan([low[0], high[0]]).all()
