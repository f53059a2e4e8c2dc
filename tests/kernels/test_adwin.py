from __future__ import annotations

import numpy as np
import pytest

from kernels import adwin as kernel
from tests.naive import adwin as naive


def test_known_answer_h5_adwin() -> None:
    alarms, widths = kernel.adwin(np.repeat([0.0, 1.0], 200), 0.002, 32)
    assert (np.flatnonzero(alarms)[0], alarms[223], widths[223]) == (223, 1, 56)
    assert np.flatnonzero(kernel.adwin(np.repeat([1.0, 0.0], 200), 0.002, 32)[0] == -1)[0] == 223


@pytest.mark.parametrize("n", [0, 1, 11, 200])
@pytest.mark.parametrize("every", [1, 32])
@pytest.mark.parametrize("step", [0.0, 3.0])
def test_it_equals_its_naive_twin(n: int, every: int, step: float) -> None:
    x = np.random.default_rng(n).normal(0, 1, n)
    x[n // 2 :] += step
    if n > 100:
        x[50] = 100.0
    told = naive.adwin(x, 0.002, every)
    for form in (kernel.adwin, kernel.adwin.py_func):
        assert tuple(found.tolist() for found in form(x, 0.002, every)) == told


def test_a_window_without_a_change_grows_and_one_with_a_change_forgets() -> None:
    rng = np.random.default_rng(1)
    still = rng.normal(0, 1, 500)
    alarms, widths = kernel.adwin(still, 0.002, 1)
    assert not alarms.any() and widths[-1] == 500
    still[250:] -= 3
    alarms, widths = kernel.adwin(still, 0.002, 1)
    first = np.flatnonzero(alarms)[0]
    assert 255 <= first < 275 and alarms[first] == -1
    assert 240 <= widths[-1] <= 260
