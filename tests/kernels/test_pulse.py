from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from kernels import pulse as kernel
from tests.naive import pulse as naive

FS = 64.0
Floats = NDArray[np.float64]


def _train(shape: Floats, beats: int = 10) -> tuple[Floats, Floats]:
    """A train of equal beats, and the places of their middles."""
    return np.tile(shape, beats), np.arange(beats) * float(len(shape)) + len(shape) // 2


def _shape(n: int = 61) -> Floats:
    place = np.linspace(0, 1, n)
    return np.exp(-0.5 * ((place - 0.5) / 0.05) ** 2) + 0.5 * np.exp(-0.5 * ((place - 0.8) / 0.06) ** 2)


def test_known_answers_f1_correlation() -> None:
    x, beats = _train(_shape())
    assert kernel.template_correlation(x, beats) == pytest.approx(1, abs=1e-12)
    scaled = np.concatenate([(2 * beat + 3) if i % 2 else beat for i, beat in enumerate(np.split(x, 10))])
    assert kernel.template_correlation(scaled, beats) == pytest.approx(1, abs=1e-12)
    saw = np.linspace(0, 1, 61) ** 3
    unlike = np.concatenate([saw[::-1] if i % 2 else saw for i in range(10)])
    assert kernel.template_correlation(unlike, beats) < 0.5


def test_known_answers_f1_skewness() -> None:
    assert kernel.skewness(np.array([1.0, 2, 3, 10])) == pytest.approx(1.018233765, rel=1e-9)
    assert kernel.skewness(np.sin(2 * np.pi * np.arange(640) / 64)) == pytest.approx(0, abs=1e-12)
    assert kernel.skewness(np.exp(-np.linspace(0, 5, 640))) > 0


@pytest.mark.parametrize("level", [0.0, 7.0, -1e16, 1e-9])
@pytest.mark.parametrize("n", [1, 31, 32, 33, 640])
def test_equal_samples_have_no_skewness(level: float, n: int) -> None:
    assert np.isnan(kernel.skewness(np.full(n, level)))


@pytest.mark.parametrize("n", [3, 31, 32, 33, 64, 641])
def test_skewness_off_its_mean(n: int) -> None:
    x = np.random.default_rng(n).gamma(2.0, size=n) + 3
    for form in (kernel.skewness, kernel.skewness.py_func):
        assert form(x) == pytest.approx(naive.skewness(x), rel=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_equals_the_naive_twins(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=3000)
    beats = np.sort(rng.uniform(0, 3000, 50))
    others = np.sort(np.concatenate([beats[::2] + rng.normal(0, 5, 25), rng.uniform(0, 3000, 10)]))
    edges = np.array([0, 640, 1280, 1280, 1920, 2560, 3000])
    for form in (kernel.epoch_pulse, kernel.epoch_pulse.py_func):
        found = form(x, FS, edges, beats, others)
        for e, (low, high) in enumerate(pairwise(edges)):
            mine, theirs = (b[(b >= low) & (b < high)] for b in (beats, others))
            assert found[:2, e].tolist() == list(naive.feasible(mine / FS, low / FS, high / FS))
            truth = [naive.template_correlation(x, mine), naive.agreement(mine / FS, theirs / FS)]
            np.testing.assert_allclose(found[2:4, e], truth, rtol=1e-9)
            np.testing.assert_allclose(found[4, e], naive.skewness(x[low:high]), rtol=1e-9)
    np.testing.assert_array_equal(kernel.pulse_heights(x, beats), naive.pulse_heights(x, beats))
    steps = np.round(x)
    for stored in (steps, steps.astype(np.int32)):
        np.testing.assert_allclose(kernel.flat_share(stored, edges, 3), naive.flat_share(steps, edges, 3), rtol=1e-12)


@pytest.mark.parametrize("fill", [0.0, 7.0, np.nan, 1e16])
def test_constant_and_missing_windows_cannot_be_said(fill: float) -> None:
    x = np.full(640, fill)
    found = kernel.epoch_pulse(x, FS, np.array([0, 640]), np.arange(30.0, 640, 60), np.empty(0))
    assert np.isnan(found[[2, 4], 0]).all()
    assert found[3, 0] == 0


def test_no_beats_are_not_feasible() -> None:
    nothing = np.empty(0)
    assert kernel.feasible(nothing, 0, 10) == (False, False)
    assert kernel.agreement(nothing, nothing) == 0
    assert np.isnan(kernel.template_correlation(np.zeros(640), nothing))
    assert not len(kernel.pulse_heights(np.zeros(640), nothing))
    assert not len(kernel.flat_share(nothing, np.array([0]), 2))


@pytest.mark.parametrize(
    ("beats", "answer"),
    [
        (np.arange(0.5, 10, 1.0), (True, True)),
        (np.arange(0.5, 10, 2.1), (False, True)),  # 29 a minute
        (np.arange(0.1, 10, 0.3), (False, True)),  # 200 a minute
        (np.array([3.1, 4.1, 5.1, 6.1, 7.1, 8.1, 9.1]), (False, False)),  # nothing for 3.1 s
        (np.array([0.5, 1.5, 2.5, 5.6, 6.6, 7.6, 8.6]), (False, False)),  # a hole of 3.1 s
        (np.array([0.5, 1.5, 2.5, 3.5, 5.8, 6.8, 7.8, 8.8]), (True, False)),  # a ratio of 2.3
    ],
)
def test_feasibility(beats: Floats, answer: tuple[bool, bool]) -> None:
    assert kernel.feasible(beats, 0.0, 10.0) == answer


@pytest.mark.parametrize(
    ("beats", "possible", "even"),
    [
        (np.arange(1.0, 10.0, 2.0), True, True),  # 30 a minute
        (np.arange(0.9, 10.0, 2.02), False, True),
        (np.arange(0.1, 10.0, 60 / 179), True, True),
        (np.arange(0.1, 10.0, 60 / 181), False, True),
        (np.array([1.0, 4.0, 5.5, 7.0, 8.5]), True, True),  # three seconds
        (np.array([1.0, 4.05, 5.5, 7.0, 8.5]), False, True),
        (np.arange(3.0, 10.0), True, True),
        (np.arange(3.05, 10.0), False, False),
        (np.arange(0.0, 7.5), True, True),
        (np.arange(0.0, 6.95), False, False),
        (np.array([1.0, 2.0, 3.0, 5.19, 6.19, 7.19]), True, True),
        (np.array([1.0, 2.0, 3.0, 5.21, 6.21, 7.21]), True, False),  # over 2.2 times the shortest
    ],
)
def test_what_a_heart_can_do_in_ten_seconds(beats: Floats, possible: bool, even: bool) -> None:
    assert tuple(map(bool, kernel.feasible(beats, 0.0, 10.0))) == (possible, even)


@pytest.mark.parametrize(("apart", "same"), [(0.149, 1.0), (0.151, 0.0)])
def test_two_detectors_agree_within_150_ms(apart: float, same: float) -> None:
    assert kernel.agreement(np.array([1.0]), np.array([1.0 + apart])) == same
