from __future__ import annotations

import numpy as np
import pytest

from kernels.percentile import median, percentile, percentiles
from tests.naive import percentile as naive


def test_known_answers_e2() -> None:
    x = np.arange(50.0, 70.0, 2.0)
    assert percentile(x, 10.0) == pytest.approx(51.8, rel=1e-9)
    assert percentile(x, 99.0) == pytest.approx(67.82, rel=1e-9)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 10, 101])
@pytest.mark.parametrize("q", [0.0, 5.0, 10.0, 50.0, 99.0, 100.0])
def test_equals_numpy_and_the_naive_twin(n: int, q: float) -> None:
    x = np.random.default_rng(n).normal(0, 1, n)
    holed = np.insert(x, n // 2, np.nan)
    expected = np.percentile(x, q) if n else np.nan
    np.testing.assert_allclose(percentile(holed, q), expected, rtol=1e-12)
    np.testing.assert_allclose(naive.percentile(holed, q), expected, rtol=1e-12)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 10, 101])
def test_several_are_each_by_itself(n: int) -> None:
    x = np.insert(np.random.default_rng(n).normal(0, 1, n), n // 2, np.nan)
    before = x.copy()
    np.testing.assert_array_equal(percentiles(x, 75.0, 0.0, 25.0), [percentile(x, q) for q in (75.0, 0.0, 25.0)])
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("n", [1, 2, 3, 10, 101])
def test_median_is_that_of_numpy(n: int) -> None:
    x = np.random.default_rng(n).normal(0, 1, n)
    assert median(x) == np.median(x)
