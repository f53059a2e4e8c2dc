from __future__ import annotations

import numpy as np
import pytest

from kernels import rolling as kernel
from tests.naive import rolling as naive


def _series(n: int, missing: float):  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(n)
    x = rng.normal(0, 1, n).round(1)
    x[rng.random(n) < missing] = np.nan
    return x


@pytest.mark.parametrize("n", [0, 1, 2, 7, 80])
@pytest.mark.parametrize("missing", [0.0, 0.4, 1.0])
@pytest.mark.parametrize(("before", "after", "least"), [(0, 0, 1), (2, 1, 2), (30, 29, 30), (0, 4, 1)])
def test_windows_equal_the_naive_twins(n: int, missing: float, before: int, after: int, least: int) -> None:
    x = _series(n, missing)
    for name in ("rolling_median", "rolling_mean"):
        expected = getattr(naive, name)(x, before, after, least)
        for form in (getattr(kernel, name), getattr(kernel, name).py_func):
            np.testing.assert_allclose(form(x, before, after, least), expected, rtol=1e-12, atol=1e-12)
    for form in (kernel.rolling_range, kernel.rolling_range.py_func):
        np.testing.assert_array_equal(form(x, before, after), naive.rolling_range(x, before, after))


def test_a_spike_is_forgotten() -> None:
    x = np.full(50, 0.1)
    x[10] = 1e16
    assert kernel.rolling_mean(x, 2, 2, 1)[20] == pytest.approx(0.1, rel=1e-15)
