from __future__ import annotations

import numpy as np
import pytest

from kernels.slices import describe_slices
from tests.naive import slices as naive


@pytest.mark.parametrize("seed", range(5))
def test_slices_are_described_as_by_hand(seed: int) -> None:
    random = np.random.default_rng(seed)
    y = random.normal(70, 10, 200)
    y[seed * 7 :: 31] = 1e6
    observed = random.random(200) < [0.0, 0.1, 0.5, 0.9, 1.0][seed]
    start = random.integers(0, 200, 40)
    end = np.minimum(start + random.integers(0, 60, 40), 200)
    places, moments = np.empty((40, 3), np.int64), np.empty((40, 4))
    describe_slices(y, observed, start, end, places, moments)
    slow_places, slow_moments = naive.describe_slices(y, observed, start, end)
    np.testing.assert_array_equal(places, slow_places)
    np.testing.assert_allclose(moments, slow_moments, rtol=1e-9)


def test_nothing_is_described_as_nothing() -> None:
    none = np.zeros(0, np.int64)
    describe_slices(np.zeros(0), np.zeros(0, np.bool_), none, none, np.empty((0, 3), np.int64), np.empty((0, 4)))
