from __future__ import annotations

import numpy as np
import pytest

from kernels import baseline as kernel
from tests.naive import baseline as naive


@pytest.mark.parametrize("n", [0, 1, 2, 9, 120])
@pytest.mark.parametrize("missing", [0.0, 0.3, 1.0])
@pytest.mark.parametrize(("most", "least"), [(28, 7), (30, 7), (1, 1), (3, 2), (2, 5)])
def test_it_equals_its_naive_twin(n: int, missing: float, most: int, least: int) -> None:
    rng = np.random.default_rng(n)
    x = rng.normal(60, 3, n).round(1)
    x[rng.random(n) < missing] = np.nan
    if n > 20:
        x[10] = 1e16
    usable = rng.random(n) < 0.8
    person = np.sort(rng.integers(0, 3, n))
    expected = naive.past_baseline(x, usable, person, most, least)
    for form in (kernel.past_baseline, kernel.past_baseline.py_func):
        for found, told in zip(form(x, usable, person, most, least), expected, strict=True):
            np.testing.assert_array_equal(found, told)
