from __future__ import annotations

import numpy as np
import pytest

from kernels import rates as kernel
from tests.naive import rates as naive

ALL = np.ones(6, np.bool_)


def _pairs(nn: list[float]) -> float:
    """RMSSD of a list in which NaN is a hole, repeated until it is long enough, without pairs across the repeats."""
    once = np.array([np.nan, *nn])
    ibi = np.tile(once, 40)
    return float(kernel.rmssd(ibi, np.isfinite(ibi), 0, len(ibi))[0])


@pytest.mark.parametrize(
    ("nn", "answer"),
    [
        ([800, 810, 790, 805, 795], 14.361406617),
        ([800, 810, np.nan, 790, 800, 820], 14.142135624),
        ([1000, 1100, 900, 1050, 1000, 960], 123.773988),
    ],
)
def test_known_answer_d1_rmssd(nn: list[float], answer: float) -> None:
    assert _pairs(nn) == pytest.approx(answer, rel=1e-8)


def test_known_answer_d1_sdnn() -> None:
    nn = np.array([800.0, 810, 790, 805, 795])
    assert np.std(nn, ddof=1) == pytest.approx(7.905694150, rel=1e-9)
    many = np.tile(nn, 60)
    found = kernel.sdnn(many, np.ones(300, np.bool_), 0, 300)
    assert found == pytest.approx(np.std(many, ddof=1), rel=1e-12)


def test_known_answer_d1_rate() -> None:
    rate, steady = kernel.median_rate(np.full(40, 800.0), np.ones(40, np.bool_), 0, 40)
    assert (rate, steady) == (75.0, 1.0)


def test_minima() -> None:
    nn = np.full(200, 1000.0)
    valid = np.ones(200, np.bool_)
    assert np.isnan(kernel.median_rate(nn, valid, 0, 14)[0])  # 14 s of 30
    assert kernel.median_rate(nn, valid, 0, 15)[0] == 60
    assert np.isnan(kernel.median_rate(nn * 2.5, valid, 0, 6)[0])  # six intervals
    assert np.isnan(kernel.rmssd(nn, valid, 0, 41)[0])
    assert kernel.rmssd(nn, valid, 0, 42) == (0.0, 0.7)
    assert np.isnan(kernel.rmssd(nn * 2, valid, 0, 30)[0])  # 29 pairs
    assert np.isnan(kernel.sdnn(nn * 3, valid, 0, 99))
    assert np.isnan(kernel.sdnn(nn, valid, 0, 200))  # 200 s of 300


@pytest.mark.parametrize("k", [0, 1, 2, 40, 2000])
@pytest.mark.parametrize("form", [kernel.epoch_rates, kernel.epoch_rates.py_func], ids=["compiled", "plain"])
def test_equals_the_naive_twin(k: int, form) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(k)
    ibi = rng.normal(850, 150, k).round(3)
    t_us = 1_600_000_000_000_000 + np.cumsum(ibi * 1000 + rng.choice([0, 0, 0, 0, 4e6], k)).astype(np.int64)
    ibi[rng.random(k) < 0.02] = np.nan
    valid = np.isfinite(ibi) & (rng.random(k) < 0.95)
    sure = valid & (rng.random(k) < 0.95)
    args = (t_us, ibi, valid, sure, 1_599_999_900_000_000, 10_000_000, 60)
    np.testing.assert_allclose(form(*args), naive.epoch_rates(*args), rtol=1e-9)


def test_known_answer_c5_a_timing_quantum_adds_in_quadrature() -> None:
    rng = np.random.default_rng(0)
    for quantum in (15.625, 40.0):
        nn = rng.normal(900, 2 * quantum, 60_000)
        beats = np.cumsum(nn)
        coarse = np.diff(np.round(beats / quantum) * quantum)
        fine = np.diff(beats)
        for measure, divisor in ((_rmssd, 2), (np.std, 6)):
            expected = np.sqrt(measure(fine) ** 2 + quantum**2 / divisor)
            assert measure(coarse) == pytest.approx(expected, rel=0.05)
        floor = np.sqrt(max(_rmssd(coarse) ** 2 - _rmssd(fine) ** 2, 0))
        assert floor == pytest.approx(quantum / np.sqrt(2), rel=0.05)


def _rmssd(nn: np.ndarray) -> float:
    return float(kernel.rmssd(nn, np.ones(len(nn), np.bool_), 0, len(nn))[0])
