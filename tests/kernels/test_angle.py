from __future__ import annotations

import numpy as np
import pytest

from kernels import angle as kernel
from tests.naive import angle as naive


def _series(n: int, kind: str, seed: int = 0):  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(seed)
    x = {
        "noise": rng.integers(-128, 128, n),
        "still": 40 + rng.integers(0, 2, n),
        "steps": np.repeat(rng.integers(-9000, 9000, n // 7 + 1), 7)[:n],
        "spike": np.where(np.arange(n) == n // 2, 2**30, 3),
        "holes": np.where(rng.random(n) < 0.4, kernel.MISSING, rng.integers(-20, 20, n)),
        "missing": np.full(n, kernel.MISSING),
    }[kind]
    return x.astype(np.int32)


@pytest.mark.parametrize("n", [0, 1, 2, 5, 21, 300])
@pytest.mark.parametrize("half", [0, 1, 10])
@pytest.mark.parametrize("kind", ["noise", "still", "steps", "holes", "missing"])
def test_median_equals_the_naive_twin(n: int, half: int, kind: str) -> None:
    values = _series(n, kind)
    for form in (kernel.rolling_median, kernel.rolling_median.py_func):
        assert form(values, half).tolist() == naive.rolling_median(values, half)


def test_a_spike_beyond_the_bins_costs_resolution_and_leaves_no_trace() -> None:
    values = _series(100, "spike")
    assert set(kernel.rolling_median(values, 5).tolist()) == {3}


@pytest.mark.parametrize("kind", ["noise", "still", "holes", "missing"])
def test_angles_equal_the_naive_twin(kind: str) -> None:
    axes = [_series(200, kind, seed) for seed in range(3)]
    scale, offset = np.array([1 / 64, 1 / 50, 1 / 64]), np.array([0.0, 0.01, 0.0])
    bounds = np.array([0, 0, 60, 150, 200])
    for form in (kernel.angle_sums, kernel.angle_sums.py_func):
        sums, counts = form(*axes, scale, offset, bounds)
        expected, numbers = naive.angle_sums(*axes, scale, offset, bounds)
        np.testing.assert_allclose(sums, expected, rtol=1e-12, atol=1e-9)
        assert counts.tolist() == numbers
