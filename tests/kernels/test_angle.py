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


@pytest.mark.parametrize("n", [1, 2, 5, 20, 301])
@pytest.mark.parametrize("kind", ["noise", "still", "steps", "spike"])
def test_median_equals_the_naive_twin(n: int, kind: str) -> None:
    values = _series(n, kind)
    for form in (kernel.grouped_median, kernel.grouped_median.py_func):
        for guess in (
            *np.unique(values)[:3],
            *np.unique(values)[-3:],
            np.int32(0),
            np.int32(2**30 + 1),
            np.int32(-(2**31)),
        ):
            assert form(values, guess) == pytest.approx(naive.grouped_median(values), rel=1e-12)


def test_a_device_between_two_steps_lies_between_them() -> None:
    """Plain medians jump by a whole step (0.9° on an E4) as chance goes: no threshold of stillness survives that."""
    rng = np.random.default_rng(0)
    medians = [
        kernel.grouped_median(np.rint(40.5 + 0.3 * rng.standard_normal(160)).astype(np.int32), 40) for _ in range(50)
    ]
    assert np.abs(np.array(medians) - 40.5).max() < 0.3


@pytest.mark.parametrize("kind", ["noise", "still", "steps", "holes", "missing"])
def test_angles_equal_the_naive_twin(kind: str) -> None:
    axes = [_series(200, kind, seed) for seed in range(3)]
    scale, offset = np.array([1 / 64, 1 / 50, 1 / 64]), np.array([0.0, 0.01, 0.0])
    bounds = np.array([0, 0, 60, 150, 200])
    for form in (kernel.slot_angles, kernel.slot_angles.py_func):
        angles, counts = form(*axes, scale, offset, bounds)
        expected, numbers = naive.slot_angles(*axes, scale, offset, bounds)
        np.testing.assert_allclose(angles, expected, rtol=1e-12, atol=1e-9)
        assert counts.tolist() == numbers


def test_no_slots() -> None:
    none = np.empty(0, np.int32)
    assert kernel.slot_angles(none, none, none, np.ones(3), np.zeros(3), np.zeros(1, np.int64))[0].tolist() == []
