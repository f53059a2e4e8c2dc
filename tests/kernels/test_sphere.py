from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from kernels.sphere import distance, fit_sphere
from tests.naive import sphere as naive

GAIN, OFFSET = np.array([1.02, 0.98, 1.01]), np.array([0.03, -0.02, 0.01])


def directions(n: int, seed: int = 0) -> NDArray[np.float64]:
    made = np.random.default_rng(seed).normal(size=(n, 3))
    return made / np.linalg.norm(made, axis=1, keepdims=True)


@pytest.mark.parametrize("seed", range(5))
def test_known_answer_c2(seed: int) -> None:
    points = directions(400, seed) * GAIN + OFFSET
    assert 1000 * distance(points, np.ones(3), np.zeros(3)) == pytest.approx(19, abs=3)
    scale, offset = fit_sphere(points)
    assert scale == pytest.approx([0.98039, 1.02041, 0.99010], abs=2e-4)
    assert offset == pytest.approx([-0.03, 0.02, -0.01], abs=5e-4)
    assert 1000 * distance(points, scale, offset) < 0.5


@pytest.mark.parametrize("n", [10, 40])
def test_equals_the_naive_twin(n: int) -> None:
    noise = np.random.default_rng(n).normal(0, 0.003, (n, 3))
    points = directions(n, n) * GAIN + OFFSET + noise
    expected = naive.fit_sphere(points)
    for form in (fit_sphere, fit_sphere.py_func):
        for found, told in zip(form(points), expected, strict=True):
            np.testing.assert_allclose(found, told, rtol=1e-9, atol=1e-12)
    for form in (distance, distance.py_func):
        assert form(points, *expected) == pytest.approx(naive.distance(points, *expected), rel=1e-12)


def test_outliers_weigh_little() -> None:
    points = directions(400) * GAIN + OFFSET
    points[:20] *= 1.3
    scale, offset = fit_sphere(points)
    assert scale == pytest.approx(1 / GAIN, abs=0.01)
    assert offset == pytest.approx(-OFFSET, abs=0.01)


def test_perfect_or_hopeless_points_are_no_error() -> None:
    for points in (np.eye(3), np.tile([0.0, 0.0, 1.1], (20, 1)), np.zeros((5, 3))):
        assert all(np.isfinite(found).all() for found in fit_sphere(points))
    assert np.isnan(distance(np.empty((0, 3)), np.ones(3), np.zeros(3)))
