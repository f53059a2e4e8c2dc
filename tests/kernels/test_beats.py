from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from kernels import beats as kernel
from tests.naive import beats as naive

FS = 64 / 3
Floats = NDArray[np.float64]


def _edges(n: int, width: int = 128) -> NDArray[np.int64]:
    return np.append(np.arange(0, n, width), n).astype(np.int64)


def _noise(n: int) -> Floats:
    return np.random.default_rng(n).normal(size=n)


def _waves(n: int) -> Floats:
    t = np.arange(n) / FS
    return np.sin(2 * np.pi * 1.1 * t) + 0.4 * np.sin(4.4 * np.pi * t + 1) + 0.2 * _noise(n)


def _spike(n: int) -> Floats:
    x = _waves(n)
    x[n // 2 : n // 2 + 1] = 1e16
    return x


def _steps(n: int) -> Floats:
    return np.round(_waves(n))


INPUTS = [pytest.param(make, n, id=f"{make.__name__[1:]}-{n}") for make in (_noise, _waves, _spike, _steps)
          for n in (0, 1, 2, 3, 17, 127, 128, 129, 700)]  # fmt: skip


@pytest.mark.parametrize("form", ["compiled", "plain"])
@pytest.mark.parametrize(("make", "n"), INPUTS)
def test_detectors_equal_their_naive_twins(make, n: int, form: str) -> None:  # type: ignore[no-untyped-def]
    x, edges = make(n), _edges(n)

    def run(f, *args):  # type: ignore[no-untyped-def]
        return (f if form == "compiled" else f.py_func)(*args)

    peaks = run(kernel.scalogram_peaks, x, FS, edges, 21)
    assert peaks.tolist() == naive.scalogram_peaks(x, FS, edges, 21)
    assert run(kernel.event_peaks, x, FS, edges).tolist() == naive.event_peaks(x, FS, edges)
    fine = run(kernel.refine, x, peaks, 2, FS)
    np.testing.assert_allclose(fine, naive.refine(x, peaks, 2, FS), rtol=1e-12)
    assert (np.diff(np.floor(fine)) > 0).all()


def _moving_mean(x: Floats, width: int, first: int = 0, form=kernel.moving_mean) -> Floats:  # type: ignore[no-untyped-def]
    padded = np.zeros(len(x) + width, np.float32)
    padded[width // 2 : width // 2 + len(x)] = x
    mean = np.empty(len(x) - first, np.float32)
    form(padded[first:].copy(), width, first, len(x), mean)
    return mean.astype(np.float64)


@pytest.mark.parametrize("n", [0, 1, 2, 5, 6, 7, 8, 14, 100])
@pytest.mark.parametrize("width", [1, 3, 5, 13, 15])
def test_moving_mean(n: int, width: int) -> None:
    x = np.abs(_noise(n))
    for form in (kernel.moving_mean, kernel.moving_mean.py_func):
        for first in {0, n // 3}:
            truth = naive.moving_mean(x, width)[first:]
            np.testing.assert_allclose(_moving_mean(x, width, first, form), truth, rtol=1e-6)


def test_a_spike_leaves_nothing_behind_in_the_moving_mean() -> None:
    x = _noise(300)
    clean = _moving_mean(x, 15)
    x[100] = 1e16
    np.testing.assert_array_equal(np.delete(_moving_mean(x, 15), range(93, 108)), np.delete(clean, range(93, 108)))


def test_missing_samples_raise_nothing() -> None:
    x = _waves(700)
    x[300:340] = np.nan
    peaks = kernel.scalogram_peaks(x, FS, _edges(700), 21)
    assert set(kernel.refine(x, peaks, 2, FS).astype(int).tolist()).isdisjoint(range(300, 340))
    kernel.event_peaks(x, FS, _edges(700))


@pytest.mark.parametrize("rate_bpm", [35, 60, 110, 170])
def test_both_find_every_beat_of_a_clean_pulse(rate_bpm: float) -> None:
    period = 60 / rate_bpm
    truth = np.arange(-2, 124, period)
    t = np.arange(0, 120, 1 / 64)
    width = 0.09 * period
    x = np.sum(np.exp(-0.5 * ((t[:, None] - truth) / width) ** 2), axis=1)
    x -= x.mean()
    coarse = x[::3].copy()
    first = kernel.scalogram_peaks(coarse, FS, _edges(len(coarse)), 21)
    second = kernel.event_peaks(coarse, FS, _edges(len(coarse), 1280))
    truth = truth[(truth > 2) & (truth < 117.9)]  # the two seconds at an end are marked by the caller
    for rough in (first, second):
        fine = kernel.refine(x, rough * 3, 2, 64.0) / 64
        fine = fine[(fine > 2) & (fine < 117.9)]
        assert len(fine) == len(truth)
        assert np.abs(fine - truth).max() < 0.002  # a tenth of a sample: parabolic refinement


def test_of_two_beats_within_300_ms_the_higher_stays() -> None:
    x = np.zeros(64)
    x[20], x[30] = 1.0, 2.0
    for order in ([20, 30], [30]):
        assert kernel.refine(x, np.array(order), 1, 64.0).tolist() == [30.0]


def test_a_refined_beat_does_not_hang_on_where_counting_begins() -> None:
    x = _waves(3000)
    rough = kernel.scalogram_peaks(x, FS, _edges(3000), 21)
    alone = kernel.refine(x, rough, 2, FS)
    far = 2**22
    late = kernel.refine(np.concatenate([np.zeros(far), x]), rough + far, 2, FS)
    assert (late - far).tolist() == alone.tolist()


@pytest.mark.parametrize(("apart", "kept"), [(29, [79.0]), (30, [50.0, 80.0])])
def test_of_beats_less_than_300_ms_apart_the_higher_stays(apart: int, kept: list[float]) -> None:
    x = np.zeros(150)
    x[50], x[50 + apart] = 1.0, 2.0
    assert kernel.refine(x, np.array([50, 50 + apart]), 2, 100.0).tolist() == kept
