from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import butter, sosfiltfilt

from kernels.smooth import lowpass
from tests.naive import smooth as naive


@pytest.mark.parametrize("n", [2, 3, 61, 500])
@pytest.mark.parametrize("cutoff", [0.05, 0.2])
def test_a_run_equals_scipy(n: int, cutoff: float) -> None:
    x = 33 + np.random.default_rng(n).normal(0, 1, n)
    padding = min(60, n - 1)
    expected = sosfiltfilt(butter(2, 2 * cutoff, output="sos"), x, padlen=padding)
    for form in (lowpass, lowpass.py_func, naive.lowpass):
        np.testing.assert_allclose(form(x, cutoff, 60), expected, rtol=1e-10)


def test_runs_do_not_know_each_other() -> None:
    rng = np.random.default_rng(1)
    left, right = rng.normal(0, 1, 40), rng.normal(30, 1, 3)
    joined = np.concatenate([[np.nan], left, [np.nan, np.nan], right, [np.nan]])
    out = lowpass(joined, 0.05, 60)
    np.testing.assert_array_equal(out[1:41], lowpass(left, 0.05, 60))
    np.testing.assert_array_equal(out[43:46], lowpass(right, 0.05, 60))
    assert np.isnan(out[[0, 41, 42, 46]]).all()


def test_one_value_and_none() -> None:
    assert lowpass(np.array([5.0]), 0.05, 60).tolist() == [5.0]
    assert lowpass(np.empty(0), 0.05, 60).size == 0
