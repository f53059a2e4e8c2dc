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
    arguments = (t_us, ibi_ms, int(t_us[0]) - 1_000_000, 250_000, 40 + 4 * k, 20_000_000, 15_000_000)
    assert spline(*arguments) == pytest.approx(naive.spline(*arguments), rel=1e-6)


def test_spline_goes_through_its_points_and_feels_its_block_and_margin_only() -> None:
    t_us, ibi_ms = _beats(200)
    minute = (60_000_000, 15_000_000)
    at = kernel.spline(t_us, ibi_ms, int(t_us[50]), int(t_us[51] - t_us[50]), 2, *minute)
    assert at == pytest.approx(ibi_ms[50:52])
    start_us = int(t_us[100]) // 60_000_000 * 60_000_000
    whole = kernel.spline(t_us, ibi_ms, start_us, 250_000, 240, *minute)
    near = (t_us >= start_us - 15_000_000) & (t_us < start_us + 75_000_000)
    assert np.array_equal(whole, kernel.spline(t_us[near], ibi_ms[near], start_us, 250_000, 240, *minute))


def test_blocks_of_the_spline_are_nearly_one() -> None:
    scipy = pytest.importorskip("scipy.interpolate")
    t_us, ibi_ms = _beats(300)
    first = int(t_us[0]) + 250_000
    found = kernel.spline(t_us, ibi_ms, first, 250_000, 1000, 60_000_000, 15_000_000)
    t_s = (t_us - t_us[0]) / 1e6
    one = scipy.CubicSpline(t_s, ibi_ms, bc_type="natural")((first - t_us[0]) / 1e6 + np.arange(1000) / 4)
    assert np.abs(found - one).max() < 1e-3


@pytest.mark.parametrize("form", FORMS)
def test_segments_equal_the_naive_twin(form: str) -> None:
    rng = np.random.default_rng(2)
    tapered = kernel.tapered if form == "compiled" else kernel.tapered.py_func
    arguments = (900 + rng.normal(size=400), np.array([0, 17, 150]), 50, np.hanning(100))
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
