from __future__ import annotations

import math

import numpy as np
import pytest

from kernels import wave as kernel
from tests.naive import wave as naive

SECONDS = np.arange(640) / 64


def waves() -> list[np.ndarray]:  # type: ignore[type-arg]
    rng = np.random.default_rng(1)
    return [rng.normal(size=n) for n in (1, 2, 7, 61, 64)] + [np.round(rng.normal(size=50)), np.sin(SECONDS[:64] * 9)]


def test_known_answers_f1_d() -> None:
    sine = np.sin(2 * np.pi * 1.2 * SECONDS)
    assert kernel.kurtosis(sine) == pytest.approx(1.5, rel=1e-9)
    assert kernel.kurtosis(np.array([1.0, 2.0, 3.0, 10.0])) == pytest.approx(2.2304, rel=1e-9)
    assert kernel.crossings(np.cos(2 * np.pi * 1.2 * SECONDS)) == 24
    assert kernel.band_share(sine, 64.0, 1.0, 2.25, 8.0) == pytest.approx(1.0, rel=1e-9)
    fast = np.sin(2 * np.pi * 4.0 * SECONDS)
    assert kernel.band_share(sine + fast + 5.0, 64.0, 1.0, 2.25, 8.0) == pytest.approx(0.5, rel=1e-9)
    beyond = np.sin(2 * np.pi * 20.0 * SECONDS)
    assert kernel.band_share(sine + 3 * beyond, 64.0, 1.0, 2.25, 8.0) == pytest.approx(1.0, rel=1e-9)


def test_known_answers_d1_pnn() -> None:
    def pnn(nn: list[float], limit: float) -> float:
        ibi = np.array(nn)
        pairs, (above,) = kernel.steps_above(ibi, np.isfinite(ibi), (limit,))
        return above / pairs

    assert pnn([800, 810, 790, 805, 795], 20.0) == 0.0  # a step of 20 ms is not above 20 ms
    assert pnn([1000, 1100, 900, 1050, 1000, 960], 50.0) == 0.6
    ibi = np.array([800, 810, math.nan, 790, 800, 820])
    assert kernel.steps_above(ibi, np.isfinite(ibi), (15.0,)) == (3, (1,))  # none across the hole


def test_a_step_of_the_limit_to_the_microsecond_is_not_above_it() -> None:
    ibi = np.array([800.123, 780.123, 800.123, 820.124])
    assert kernel.steps_above(ibi, np.ones(4, np.bool_), (20.0,)) == (3, (1,))


@pytest.mark.parametrize("number", range(len(waves())))
def test_equals_the_naive_twin(number: int) -> None:
    x = waves()[number]
    assert kernel.crossings(x) == naive.crossings(x.tolist())
    np.testing.assert_allclose(kernel.kurtosis(x), naive.kurtosis(x.tolist()), rtol=1e-9)
    bands = (16.0, 1.0, 2.25, 8.0), (16.0, 0.5, 3.0, 5.0)
    for band in bands:
        np.testing.assert_allclose(kernel.band_share(x, *band), naive.band_share(x.tolist(), *band), rtol=1e-9)
    rng = np.random.default_rng(number)
    ibi, valid = np.round(800 + 30 * x, 3), rng.random(len(x)) < 0.8
    limits = (20.0, 50.0)
    assert kernel.steps_above(ibi, valid, limits) == naive.steps_above(ibi.tolist(), valid.tolist(), limits)


def test_nothing_and_what_never_changes_have_no_shape() -> None:
    for x in (np.empty(0), np.zeros(5), np.full(5, 3.25)):
        assert math.isnan(kernel.kurtosis(x)) and math.isnan(naive.kurtosis(x.tolist()))
        assert math.isnan(kernel.band_share(x, 64.0, 1.0, 2.25, 8.0))
        assert kernel.crossings(x) == 0
        assert kernel.steps_above(x[:1], np.ones(len(x[:1]), np.bool_), (20.0,)) == (0, (0,))
