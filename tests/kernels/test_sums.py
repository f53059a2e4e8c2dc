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
