from __future__ import annotations

import numpy as np
import pytest

from kernels import tachogram as kernel
from tests.naive import tachogram as naive

FORMS = ["compiled", "plain"]


def _beats(k: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    ibi_ms = rng.uniform(700, 1300, k)
    return 1_600_000_000_000_000 + np.cumsum(np.rint(1000 * ibi_ms)).astype(np.int64), ibi_ms


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("k", [1, 2, 3, 60])
def test_spline_equals_the_naive_twin(form: str, k: int) -> None:
    t_us, ibi_ms = _beats(k)
    spline = kernel.spline if form == "compiled" else kernel.spline.py_func
    arguments = (t_us, ibi_ms, int(t_us[0]) - 1_000_000, 250_000, 40 + 4 * k)
    assert spline(*arguments) == pytest.approx(naive.spline(*arguments), rel=1e-6)


def test_spline_goes_through_its_points_and_forgets_what_is_far() -> None:
    t_us, ibi_ms = _beats(200)
    at = kernel.spline(t_us, ibi_ms, int(t_us[50]), int(t_us[51] - t_us[50]), 2)
    assert at == pytest.approx(ibi_ms[50:52])
    whole = kernel.spline(t_us, ibi_ms, int(t_us[100]), 250_000, 100)
    cut = kernel.spline(t_us[30:], ibi_ms[30:], int(t_us[100]), 250_000, 100)
    assert np.array_equal(whole, cut)


@pytest.mark.parametrize("form", FORMS)
def test_segments_equal_the_naive_twin(form: str) -> None:
    rng = np.random.default_rng(2)
    tapered = kernel.tapered if form == "compiled" else kernel.tapered.py_func
    arguments = (900 + rng.normal(size=400), np.array([0, 17, 150]), 3, 50, np.hanning(100))
    assert tapered(*arguments) == pytest.approx(naive.tapered(*arguments), abs=1e-9)


@pytest.mark.parametrize("form", FORMS)
def test_powers_equal_the_naive_twin(form: str) -> None:
    t_us, ibi_ms = _beats(250)
    lomb = kernel.lomb if form == "compiled" else kernel.lomb.py_func
    t_s = (t_us - t_us[0]) / 1e6
    assert lomb(t_s, ibi_ms, 300.0, 12, 60) == pytest.approx(naive.lomb(t_s, ibi_ms, 300.0, 12, 60), rel=1e-6)


def test_power_of_a_sine_is_half_its_amplitude_squared() -> None:
    t_s = np.delete(np.arange(300.0), slice(40, 44))
    power = kernel.lomb(t_s, 900 + 30 * np.sin(2 * np.pi * 0.1 * t_s), 300.0, 12, 120)
    assert power[30 - 12] == pytest.approx(450, rel=0.02)
    assert power.argmax() == 30 - 12
