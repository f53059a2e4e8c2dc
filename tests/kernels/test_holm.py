from __future__ import annotations

import numpy as np
import pytest

from kernels.holm import holm
from tests.naive import holm as naive


def test_steps_down_and_never_falls() -> None:
    assert holm(np.array([0.005, 0.011, 0.02, 0.04, 0.13])) == pytest.approx([0.025, 0.044, 0.06, 0.08, 0.13])
    assert holm(np.array([0.5, 0.5, 0.9])) == pytest.approx([1.0, 1.0, 1.0])


def test_what_is_no_comparison_counts_as_none() -> None:
    found = holm(np.array([np.nan, 0.02, np.nan, 0.03]))
    assert found[[1, 3]] == pytest.approx([0.04, 0.04])
    assert np.isnan(found[[0, 2]]).all()
    assert holm(np.zeros(0)).tolist() == []
    assert np.isnan(holm(np.array([np.nan]))).all()


@pytest.mark.parametrize("n", [0, 1, 2, 40])
def test_it_equals_its_naive_twin(n: int) -> None:
    p = np.random.default_rng(n).random(n).round(2) / 20
    p[::7] = np.nan
    np.testing.assert_allclose(holm(p), naive.holm(p), rtol=1e-15)
