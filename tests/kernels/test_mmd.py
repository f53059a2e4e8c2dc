from __future__ import annotations

import numpy as np
import pytest

from kernels import mmd as kernel
from tests.naive import mmd as naive


def test_known_answers_h5_mmd() -> None:
    x, y = np.array([[0.0], [1.0]]), np.array([[2.0], [3.0]])
    assert kernel.mmd(x, y, 1.0) == pytest.approx((1.1623755484, 0.7689062081), abs=5e-11)
    assert kernel.mmd(x, x, 1.0)[0] == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize(("n", "m", "d"), [(2, 2, 1), (3, 9, 2), (30, 20, 6)])
@pytest.mark.parametrize("spike", [0.0, 1e6])
def test_it_equals_its_naive_twin(n: int, m: int, d: int, spike: float) -> None:
    rng = np.random.default_rng(n)
    x, y = rng.normal(0, 1, (n, d)), rng.normal(0.5, 1, (m, d))
    y[0, 0] += spike
    assert kernel.bandwidth(x) == pytest.approx(naive.bandwidth(x))
    assert kernel.mmd(x, y, 1.5) == pytest.approx(naive.mmd(x, y, 1.5), abs=1e-9)


def test_permutations_tell_a_shift_from_none_and_are_repeatable() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(0, 1, (120, 4)), rng.normal(0, 1, (80, 4))
    sigma = kernel.bandwidth(x)
    still, shifted = (kernel.permuted(x, y + step, sigma, 500, 3) for step in (0.0, 0.5))
    assert still[0] == pytest.approx(kernel.mmd(x, y, sigma)[1])
    assert still[1] > 0.05 and shifted[1] == pytest.approx(1 / 501)
    assert still == kernel.permuted(x, y, sigma, 500, 3)


def test_of_one_row_there_is_no_bandwidth() -> None:
    assert np.isnan(kernel.bandwidth(np.zeros((1, 3))))
