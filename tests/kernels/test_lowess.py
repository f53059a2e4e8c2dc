from __future__ import annotations

import numpy as np
import pytest
from statsmodels.nonparametric.smoothers_lowess import lowess as library

from kernels import lowess as kernel
from tests.naive import lowess as naive

E1 = np.array([34.0, 34.1, 33.9, 34.0, 34.2, 34.1, 34.6, 34.5, 34.7, 34.6])
DAYS = np.arange(10.0)
TWO_SIDED = [
    34.038302, 34.010154, 33.985893, 34.028631, 34.114107, 34.271786, 34.428214, 34.585893, 34.610154, 34.638302,
]  # fmt: skip


def test_known_answer_h6_two_sided() -> None:
    np.testing.assert_allclose(kernel.lowess(DAYS, E1, 5, 0), TWO_SIDED, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("iterations", "expected"),
    [(0, [34.528137, 34.571863, 34.664068, 34.635932]), (3, [34.539600, 34.557216, 34.668322, 34.634379])],
)
def test_known_answer_h6_look_back(iterations: int, expected: list[float]) -> None:
    found = kernel.newest(DAYS, E1, np.zeros(10, np.int64), 7, int(0.7 * 7), iterations)
    assert np.isnan(found[:6]).all()
    np.testing.assert_allclose(found[6:], expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("n", [3, 7, 40])
@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("iterations", [0, 1, 4])
@pytest.mark.parametrize("spike", [False, True])
def test_it_equals_its_naive_twin_and_statsmodels(n: int, share: float, iterations: int, spike: bool) -> None:
    """statsmodels comes with statsforecast, a dependency."""
    rng = np.random.default_rng(n)
    x, y = np.cumsum(rng.integers(1, 4, n)).astype(np.float64), rng.normal(34, 0.3, n)
    y[n // 2] += 50.0 * spike
    neighbours = max(int(share * n), 3)
    expected = naive.lowess(x, y, neighbours, iterations)
    for form in (kernel.lowess, kernel.lowess.py_func):
        np.testing.assert_allclose(form(x, y, neighbours, iterations), expected, rtol=1e-9)
    theirs = library(y, x, frac=neighbours / n, it=iterations, return_sorted=False)
    np.testing.assert_allclose(expected, theirs, rtol=1e-9)


@pytest.mark.parametrize("n", [0, 1, 9, 60])
@pytest.mark.parametrize("missing", [0.0, 0.3, 1.0])
@pytest.mark.parametrize(("look_back", "neighbours"), [(3, 3), (7, 4)])
def test_the_newest_equals_its_naive_twin(n: int, missing: float, look_back: int, neighbours: int) -> None:
    rng = np.random.default_rng(n)
    x, y = np.cumsum(rng.integers(1, 4, n)).astype(np.float64), rng.normal(34, 0.3, n)
    y[rng.random(n) < missing] = np.nan
    person = np.sort(rng.integers(0, 3, n))
    expected = naive.newest(x, y, person, look_back, neighbours, 2)
    for form in (kernel.newest, kernel.newest.py_func):
        np.testing.assert_allclose(form(x, y, person, look_back, neighbours, 2), expected, rtol=1e-9)


def test_equal_values_stay_and_a_line_stays() -> None:
    np.testing.assert_allclose(kernel.lowess(DAYS, np.full(10, 34.1), 5, 3), 34.1, rtol=1e-15)
    np.testing.assert_allclose(kernel.lowess(DAYS, 0.5 * DAYS, 5, 3), 0.5 * DAYS, atol=1e-12)
