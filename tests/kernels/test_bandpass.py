from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt, sosfreqz

from kernels import bandpass as kernel
from tests.naive import bandpass as naive

RATES = [(64.0, 8.0), (100.0, 8.0), (25.0, 8.0), (19.0, 7.6), (5.0, 2.0)]


def _setting(fs: float, n: int, first_s: float = 13.37) -> tuple[NDArray[np.int64], int, int]:
    inner = np.ceil((np.arange(60.0, n / fs + 60, 60) - first_s) * fs)
    edges = np.unique(np.clip(np.concatenate([[0], inner, [n]]), 0, n)).astype(np.int64)
    return edges, round(20 * fs), min(round(6 * fs), n - 1)


@pytest.mark.parametrize(("fs", "high"), RATES)
def test_design_is_a_butterworth(fs: float, high: float) -> None:
    gain, feedback = kernel.design(fs, 0.5, high)
    _, mine = sosfreqz([[gain, 0, -gain, 1, *feedback[0]], [1, 0, -1, 1, *feedback[1]]], fs=fs, worN=200)
    _, truth = sosfreqz(butter(2, [0.5, high], "bandpass", fs=fs, output="sos"), fs=fs, worN=200)
    np.testing.assert_allclose(mine, truth, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("fs", "low", "high"), [(64, 0, 8), (64, 8, 0.5), (16, 0.5, 8), (float("nan"), 0.5, 8)])
def test_design_refuses_impossible_edges(fs: float, low: float, high: float) -> None:
    with pytest.raises(ValueError, match="no band-pass"):
        kernel.design(fs, low, high)


@pytest.mark.parametrize(("fs", "high"), RATES)
def test_blocks_equal_filtering_the_whole(fs: float, high: float) -> None:
    n = int(fs * 1000) + 17
    x = np.random.default_rng(1).normal(size=n).cumsum() + 1000
    edges, margin, pad = _setting(fs, n)
    mine = kernel.bandpass(x, 1.0, edges, margin, pad, *kernel.design(fs, 0.5, high))
    whole = sosfiltfilt(butter(2, [0.5, high], "bandpass", fs=fs, output="sos"), x, padtype="odd", padlen=pad)
    assert np.abs(mine - whole).max() < 1e-9 * whole.std()


@pytest.mark.parametrize("n", [2, 3, 40, 640, 641, 1280, 3840, 3841, 6400, 20_000])
@pytest.mark.parametrize("run", [kernel.bandpass, kernel.bandpass.py_func], ids=["compiled", "plain"])
def test_equals_the_naive_twin(n: int, run) -> None:  # type: ignore[no-untyped-def]
    fs = 16.0
    x = np.random.default_rng(n).normal(size=n)
    edges, margin, pad = _setting(fs, n)
    gain, feedback = kernel.design(fs, 0.5, 6.4)
    np.testing.assert_array_equal(
        run(x, 1.0, edges, margin, pad, gain, feedback), naive.bandpass(x, edges, margin, pad, gain, feedback)
    )


def test_samples_as_they_are_stored_equal_scaled_ones() -> None:
    n = 20_000
    raw = np.random.default_rng(2).integers(-50_000, 50_000, n, dtype=np.int32)
    raw.flags.writeable = False
    setting, designed = _setting(16.0, n), kernel.design(16.0, 0.5, 6.4)
    whole = kernel.bandpass(raw * 0.25, 1.0, *setting, *designed)
    np.testing.assert_array_equal(kernel.bandpass(raw, 0.25, *setting, *designed), whole)


def test_a_level_does_not_matter() -> None:
    n = 20_000
    x = np.random.default_rng(3).normal(size=n)
    setting, designed = _setting(16.0, n), kernel.design(16.0, 0.5, 6.4)
    plain, raised = (kernel.bandpass(one, 1.0, *setting, *designed) for one in (x, x + 1e6))
    assert np.abs(plain - raised).max() < 1e-8
    assert not kernel.bandpass(np.full(n, 1e6), 1.0, *setting, *designed).any()


def test_nothing_gives_nothing() -> None:
    gain, feedback = kernel.design(64.0, 0.5, 8.0)
    assert not len(kernel.bandpass(np.empty(0), 1.0, np.array([0]), 1280, 0, gain, feedback))


@pytest.mark.parametrize("value", [np.nan, 1e16])
def test_a_bad_sample_stays_within_a_block_and_its_margin(value: float) -> None:
    fs, n = 16.0, 16 * 600
    x = np.random.default_rng(0).normal(size=n)
    edges, margin, pad = _setting(fs, n, 0.0)
    gain, feedback = kernel.design(fs, 0.5, 6.4)
    clean = kernel.bandpass(x, 1.0, edges, margin, pad, gain, feedback)
    x[16 * 330] = value
    spoilt = kernel.bandpass(x, 1.0, edges, margin, pad, gain, feedback)
    far = np.abs(np.arange(n) / fs - 330) > 80
    np.testing.assert_array_equal(clean[far], spoilt[far])


def test_a_cut_is_felt_for_eighty_seconds_only() -> None:
    fs, n = 64.0, 64 * 600
    x = np.random.default_rng(0).normal(size=n)
    gain, feedback = kernel.design(fs, 0.5, 8.0)
    for cut_s in (61, 299.5, 415, 599):
        cut = int(cut_s * fs)
        whole = kernel.bandpass(x, 1.0, *_setting(fs, n), gain, feedback)
        part = kernel.bandpass(x[:cut], 1.0, *_setting(fs, cut), gain, feedback)
        kept = max(0, int((cut_s - 80) * fs))
        np.testing.assert_array_equal(whole[:kept], part[:kept])
