from __future__ import annotations

import numpy as np
import pytest

from kernels import hampel as kernel
from tests.naive import hampel as naive


@pytest.mark.parametrize("n", [0, 1, 2, 9, 120])
@pytest.mark.parametrize("missing", [0.0, 0.3, 1.0])
@pytest.mark.parametrize(("most", "least"), [(14, 5), (1, 1), (4, 2), (5, 5)])
def test_it_equals_its_naive_twin(n: int, missing: float, most: int, least: int) -> None:
    rng = np.random.default_rng(n)
    x = rng.normal(60, 3, n).round(1)
    x[rng.random(n) < missing] = np.nan
    if n > 20:
        x[10] = 1e16
    person = np.sort(rng.integers(0, 3, n))
    expected = naive.recent(x, person, most, least)
    for form in (kernel.recent, kernel.recent.py_func):
        for found, told in zip(form(x, person, most, least), expected, strict=True):
            np.testing.assert_array_equal(found, told)


def test_known_answer_h6() -> None:
    median, mad = kernel.recent(np.array([34.1, 34.2, 34.0, 34.1, 36.5, 34.2, 34.1]), np.zeros(7, np.int64), 14, 5)
    assert np.isnan(median[:4]).all()
    assert median[4] == 34.1
    assert 1.4826 * mad[4] == pytest.approx(0.14826, rel=1e-9)
    assert (36.5 - median[4]) / (1.4826 * mad[4]) == pytest.approx(16.19, abs=0.005)
