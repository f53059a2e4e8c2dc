from __future__ import annotations

import numpy as np
import pytest

from kernels import page_hinkley as kernel
from tests.naive import page_hinkley as naive

STEP = np.repeat([0.0, 1.0], 200)


@pytest.mark.parametrize(("threshold", "forgetting", "at"), [(5.0, 1.0, 205), (50.0, 0.9999, 257)])
def test_known_answers_h5_page_hinkley(threshold: float, forgetting: float, at: int) -> None:
    for sign in (1, -1):
        alarms = kernel.page_hinkley(sign * STEP, 0.005, threshold, 30, forgetting)
        assert (np.flatnonzero(alarms)[0], alarms[at]) == (at, sign)


@pytest.mark.parametrize("n", [0, 1, 29, 31, 150])
@pytest.mark.parametrize("missing", [0.0, 0.3, 1.0])
@pytest.mark.parametrize(("threshold", "least"), [(5.0, 30), (0.5, 1)])
def test_it_equals_its_naive_twin(n: int, missing: float, threshold: float, least: int) -> None:
    rng = np.random.default_rng(n)
    x = rng.normal(0, 1, n) + np.linspace(0, 3, n)
    x[rng.random(n) < missing] = np.nan
    if n > 100:
        x[50] = -1e6
    told = naive.page_hinkley(x, 0.005, threshold, least, 0.99)
    for form in (kernel.page_hinkley, kernel.page_hinkley.py_func):
        assert form(x, 0.005, threshold, least, 0.99).tolist() == told


def test_after_an_alarm_it_begins_anew() -> None:
    alarms = kernel.page_hinkley(np.repeat([0.0, 1.0, 0.0], 200), 0.005, 5.0, 30, 1.0)
    assert alarms[np.flatnonzero(alarms)].tolist() == [1, -1]
