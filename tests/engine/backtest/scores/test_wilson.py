from __future__ import annotations

import numpy as np
import pytest

from engine.backtest.scores.wilson import wilson


def test_known_answers() -> None:
    low, high = wilson([0, 10, 80, 5], [10, 10, 100, 0])
    assert low[:3] == pytest.approx([0.0, 0.722467, 0.711170], abs=1e-6)
    assert high[:3] == pytest.approx([0.277533, 1.0, 0.866633], abs=1e-6)
    assert np.isnan([low[3], high[3]]).all()


def test_equals_scipy() -> None:
    from scipy.stats import binomtest

    for hits, n, level in [(3, 17, 0.95), (16, 17, 0.9), (500, 1000, 0.99)]:
        expected = binomtest(hits, n).proportion_ci(level, method="wilson")
        assert wilson(hits, n, level) == pytest.approx((expected.low, expected.high), abs=1e-12)
