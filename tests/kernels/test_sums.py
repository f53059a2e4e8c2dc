from __future__ import annotations

import numpy as np
import pytest

from kernels import sums as kernel
from tests.naive import sums as naive


@pytest.mark.parametrize("form", ["compiled", "plain"])
@pytest.mark.parametrize(("stride", "count", "terms"), [(1, 5, 3), (7, 20, 1), (3, 1, 9), (2, 33, 16), (5, 4, 0)])
def test_equals_the_naive_twin(form: str, stride: int, count: int, terms: int) -> None:
    rng = np.random.default_rng(count)
    x, row, out = rng.normal(size=count + stride * terms), rng.normal(size=terms), np.full(count, np.nan)
    (kernel.gather if form == "compiled" else kernel.gather.py_func)(x, stride, count, row, out)
    np.testing.assert_allclose(out, naive.gather(x, stride, count, row), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("form", [kernel.sums_between, kernel.sums_between.py_func], ids=["compiled", "plain"])
@pytest.mark.parametrize("bounds", [[0], [0, 0], [0, 50], [0, 7, 7, 30, 50], [3, 4, 49]])
def test_sums_between_equal_the_naive_twin(form, bounds: list[int]) -> None:  # type: ignore[no-untyped-def]
    values = np.random.default_rng(1).choice(np.array([-(2**31), 2**31 - 1, -(2**31) + 1, 5], np.int32), 50)
    found = form(values, -(2**31), np.array(bounds, np.int64))
    assert tuple(one.tolist() for one in found) == naive.sums_between(values, -(2**31), bounds)
