from __future__ import annotations

import numpy as np
import pytest

from kernels.actigraphy import (
    COLE_KRIPKE_ASLEEP_BELOW,
    SADEH_ASLEEP_FROM,
    cole_kripke,
    sadeh,
)
from tests.naive import actigraphy as naive

FORMS = pytest.mark.parametrize("form", ["compiled", "python"])


def of(kernel, form: str):  # type: ignore[no-untyped-def]
    return kernel if form == "compiled" else kernel.py_func


@FORMS
def test_known_answers_b5_cole_kripke(form: str) -> None:
    score = of(cole_kripke, form)
    assert score(np.zeros(7))[4] == 0.0 < COLE_KRIPKE_ASLEEP_BELOW
    for at, window in ((1 / 0.665, np.ones(7)), (1 / 0.230, np.eye(7)[4])):
        assert score(window * (at * 1.000001))[4] > COLE_KRIPKE_ASLEEP_BELOW > score(window * (at * 0.999999))[4]
    assert pytest.approx((1.50376, 4.34783), abs=1e-5) == (1 / 0.665, 1 / 0.230)


@FORMS
@pytest.mark.parametrize(
    ("window", "expected", "asleep"),
    [
        ([0] * 11, 7.601, True),
        ([0, 0, 10, 0, 0, 60, 80, 0, 0, 0, 0], 0.319914, True),
        ([60] * 11, -11.068945, False),
        ([100] * 11, -2.143430, False),
    ],
)
def test_known_answers_b5_sadeh(form: str, window: list[int], expected: float, asleep: bool) -> None:
    found = of(sadeh, form)(np.array(window, np.float64))
    assert found[5] == pytest.approx(expected, abs=1e-6)
    assert (found[5] >= SADEH_ASLEEP_FROM) == asleep


def test_counts_are_capped() -> None:
    many = np.full(11, 1e5)
    assert sadeh(many)[5] == sadeh(np.full(11, 300.0))[5]
    assert many[0] == 1e5


@pytest.mark.parametrize("kernel", ["cole_kripke", "sadeh"])
@pytest.mark.parametrize("n", [0, 1, 6, 7, 10, 11, 400])
def test_equals_the_naive_twin_and_leaves_edges_and_holes_unscored(kernel: str, n: int) -> None:
    rng = np.random.default_rng(n)
    counts = np.where(rng.random(n) < 0.5, 0.0, rng.exponential(90.0, n))
    counts[rng.random(n) < 0.02] = np.nan
    fast = {"cole_kripke": cole_kripke, "sadeh": sadeh}[kernel]
    expected = np.array(getattr(naive, kernel)(counts), np.float64)
    for form in (fast, fast.py_func):
        np.testing.assert_allclose(form(counts), expected, rtol=1e-12, atol=1e-12)
