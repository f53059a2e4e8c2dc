from __future__ import annotations

import numpy as np
import pytest

from kernels import rates as kernel
from tests.naive import rates as naive


def _one(*bounds: int) -> list[np.ndarray]:
    return [np.array([bound]) for bound in bounds]


def _rmssd(nn: np.ndarray) -> tuple[float, float]:
    """RMSSD and coverage of one window over a list in which NaN is a hole."""
    places = np.flatnonzero(np.isfinite(nn))
    found, coverage = kernel.rmssds(nn[places], places, *_one(0, len(places)))
    return float(found[0]), float(coverage[0])


def _sdnn(nn: np.ndarray) -> float:
    return float(kernel.sdnns(nn, *_one(0, len(nn)))[0])


def _rate(nn: np.ndarray) -> tuple[float, float]:
    rates, steady = kernel.median_rates(nn, *_one(0, len(nn)))
    return float(rates[0]), float(steady[0])


def _pairs(nn: list[float]) -> float:
    """RMSSD of a list in which NaN is a hole, repeated until it is long enough, without pairs across the repeats."""
    return _rmssd(np.tile([np.nan, *nn], 40))[0]


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
    assert _sdnn(many) == pytest.approx(np.std(many, ddof=1), rel=1e-12)


def test_known_answer_d1_rate() -> None:
    assert _rate(np.full(40, 800.0)) == (75.0, 1.0)


def test_minima() -> None:
    nn = np.full(200, 1000.0)
    assert np.isnan(_rate(nn[:14])[0])  # 14 s of 30
    assert _rate(nn[:15])[0] == 60
    assert np.isnan(_rate(2.5 * nn[:6])[0])  # six intervals
    assert np.isnan(_rmssd(nn[:41])[0])
    assert _rmssd(nn[:42]) == (0.0, 0.7)
    assert np.isnan(_rmssd(2 * nn[:30])[0])  # 29 pairs
    assert np.isnan(_sdnn(3 * nn[:99]))
    assert np.isnan(_sdnn(nn))  # 200 s of 300
    nothing = np.empty(0)
    assert np.isnan([_rate(nothing)[0], _rmssd(nothing)[0], _sdnn(nothing)]).all()


@pytest.mark.parametrize("name", ["median_rates", "sdnns"])
def test_windows_do_not_feel_each_other(name: str) -> None:
    nn = np.random.default_rng(1).normal(900, 100, 900)
    low = np.array([0, 0, 3, 3, 400, 401, 401, *range(401, 431), 800])
    high = np.maximum.accumulate(np.minimum(low + np.array([0, 350, 350, 350, 0, 300, *[340] * 31, 350]), 900))
    for form in (getattr(kernel, name), getattr(kernel, name).py_func):
        together = np.atleast_2d(form(nn, low, high))
        for w in range(len(low)):
            alone = np.atleast_2d(form(nn, low[w : w + 1], high[w : w + 1]))
            np.testing.assert_array_equal(together[:, w : w + 1], alone)


@pytest.mark.parametrize("k", [0, 1, 2, 40, 2000])
@pytest.mark.parametrize("plain", [False, True], ids=["compiled", "plain"])
def test_equals_the_naive_twin(k: int, plain: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("windows", "median_rates", "rmssds", "sdnns") if plain else ():
        monkeypatch.setattr(kernel, name, getattr(kernel, name).py_func)
    rng = np.random.default_rng(k)
    ibi = rng.normal(850, 150, k).round(3)
    t_us = 1_600_000_000_000_000 + np.cumsum(ibi * 1000 + rng.choice([0, 0, 0, 0, 4e6], k)).astype(np.int64)
    ibi[rng.random(k) < 0.02] = np.nan
    valid = np.isfinite(ibi) & (rng.random(k) < 0.95)
    sure = valid & (rng.random(k) < 0.95)
    args = (t_us, ibi, valid, sure, 1_599_999_900_000_000, 10_000_000, 60)
    np.testing.assert_allclose(kernel.epoch_rates(*args), naive.epoch_rates(*args), rtol=1e-9)


def test_known_answer_c5_a_timing_quantum_adds_in_quadrature() -> None:
    rng = np.random.default_rng(0)
    for quantum in (15.625, 40.0):
        nn = rng.normal(900, 2 * quantum, 60_000)
        beats = np.cumsum(nn)
        coarse = np.diff(np.round(beats / quantum) * quantum)
        fine = np.diff(beats)
        for measure, divisor in ((lambda nn: _rmssd(nn)[0], 2), (np.std, 6)):
            expected = np.sqrt(measure(fine) ** 2 + quantum**2 / divisor)
            assert measure(coarse) == pytest.approx(expected, rel=0.05)
        floor = np.sqrt(max(_rmssd(coarse)[0] ** 2 - _rmssd(fine)[0] ** 2, 0))
        assert floor == pytest.approx(quantum / np.sqrt(2), rel=0.05)
