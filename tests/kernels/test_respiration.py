from __future__ import annotations

import numpy as np
import pytest

from kernels import respiration as kernel
from tests.naive import respiration as naive

FORMS = ["compiled", "plain"]


@pytest.mark.parametrize(
    ("rates", "fused"),
    [((15, 16, 17), 16.0), ((12, 16, 20), 16.0), ((11, 16, 20), np.nan), ((10, 15, 20), np.nan)],
)
def test_known_answer_d4(rates: tuple[int, ...], fused: float) -> None:
    found, number = kernel.fuse(np.array(rates, np.float64)[:, None])
    assert found[0] == pytest.approx(fused, nan_ok=True)
    assert number[0] == 3


@pytest.mark.parametrize(
    ("rates", "fused", "number"),
    [
        ((15, 18, np.nan), 16.5, 2),
        ((np.nan, 15, 18.1), np.nan, 2),
        ((15, np.nan, np.nan), np.nan, 1),
        ((np.nan,) * 3, np.nan, 0),
    ],
)
def test_two_rates_must_be_nearer_than_three(rates: tuple[float, ...], fused: float, number: int) -> None:
    found, count = kernel.fuse(np.array(rates)[:, None])
    assert found[0] == pytest.approx(fused, nan_ok=True)
    assert count[0] == number


@pytest.mark.parametrize("brpm", [7.5, 12, 15, 20, 30])
def test_breaths_of_a_sine_are_counted(brpm: float) -> None:
    t = np.arange(400) / 4
    found = kernel.count_breaths(np.sin(2 * np.pi * brpm / 60 * t), 4.0, np.arange(0, 240, 40), 128)
    assert found == pytest.approx(brpm, rel=0.02)


def test_a_ripple_on_a_breath_is_no_breath_of_its_own() -> None:
    """The small maxima lie under a fifth of the upper quartile, or have no negative minimum beside them."""
    t = np.arange(128) / 4
    x = np.sin(2 * np.pi * 0.25 * t) + 0.45 * np.sin(2 * np.pi * 0.75 * t + 0.4)
    found = kernel.count_breaths(x, 4.0, np.array([0]), 128)
    assert np.isnan(found[0]) or found[0] == pytest.approx(15, rel=0.02)


@pytest.mark.parametrize("x", [np.zeros(128), np.arange(128.0), np.sin(np.arange(128) / 40)])
def test_no_breath_is_missing(x: np.ndarray) -> None:
    assert np.isnan(kernel.count_breaths(x, 4.0, np.array([0]), 128)[0])


@pytest.mark.parametrize("form", FORMS)
def test_counts_equal_the_naive_twin(form: str) -> None:
    rng = np.random.default_rng(3)
    count = kernel.count_breaths if form == "compiled" else kernel.count_breaths.py_func
    for smooth in (1, 3, 6):
        x = np.convolve(rng.normal(size=600), np.ones(smooth) / smooth, "same")
        starts = np.arange(0, 600 - 128, 40)
        assert count(x, 4.0, starts, 128) == pytest.approx(naive.count_breaths(x, 4.0, starts, 128), nan_ok=True)


@pytest.mark.parametrize("form", FORMS)
def test_resampled_series_equal_the_naive_twin(form: str) -> None:
    rng = np.random.default_rng(4)
    resample = kernel.resample if form == "compiled" else kernel.resample.py_func
    t_us = 1_600_000_000_000_000 + np.cumsum(rng.integers(400_000, 1_400_000, 80))
    series = rng.normal(size=(3, 80))
    out = np.empty((3, 200 + 2 * 80))
    first = int(t_us[0]) - 600_000
    resample(t_us, series, first, 250_000, 80, out)
    assert out == pytest.approx(naive.resample(t_us, series, first, 250_000, 80, 200), abs=1e-6)


@pytest.mark.parametrize("form", FORMS)
def test_fusion_equals_the_naive_twin(form: str) -> None:
    rng = np.random.default_rng(5)
    rates = rng.uniform(8, 20, (3, 400))
    rates[rng.random(rates.shape) < 0.2] = np.nan
    found = (kernel.fuse if form == "compiled" else kernel.fuse.py_func)(rates)
    twin = naive.fuse(rates)
    assert found[0] == pytest.approx(twin[0], nan_ok=True)
    assert np.array_equal(found[1], twin[1])
    assert 0.1 < np.isfinite(found[0]).mean() < 0.9
