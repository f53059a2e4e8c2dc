from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.night.recording import MISSING
from kernels.masks import count_outside, flat_runs, still_norms
from tests.naive import masks as naive

FEW = st.lists(st.sampled_from([MISSING, 0, 1]), max_size=40)


@settings(max_examples=200, deadline=None)
@given(FEW, st.integers(1, 6), st.booleans())
def test_flat_runs_equal_the_naive_twin(raw: list[int], shortest: int, alone: bool) -> None:
    x = np.array(raw, np.int32)
    y = x if alone else np.arange(len(x), dtype=np.int32) // 3
    assert flat_runs(x, y, x, MISSING, shortest).tolist() == naive.flat_runs(x, y, x, MISSING, shortest)


@pytest.mark.parametrize("n", [0, 1, 9, 10, 11, 305])
@pytest.mark.parametrize("kind", ["noise", "still", "holes", "spike", "long", "huge"])
def test_still_norms_equal_the_naive_twin(n: int, kind: str) -> None:
    rng = np.random.default_rng(n)
    axes = rng.normal(0, 0.5 if kind != "noise" else 40, (3, n)).round() + np.array([[10], [-20], [60]])
    axes[:, n // 2 : n // 2 + 1] = {"holes": MISSING, "spike": 2**31 - 1}.get(kind, 0)
    if kind in ("long", "huge"):  # squares that no int32, or no int64, can add up
        axes = np.round(axes * 2.0 ** (24 if kind == "huge" else 10))
    x, y, z = (np.ascontiguousarray(axis) for axis in axes.astype(np.int32))
    found = still_norms(x, y, z, MISSING, 10, 1 / 64, 0.01, 0.013)
    np.testing.assert_allclose(found, naive.still_norms(x, y, z, MISSING, 10, 1 / 64, 0.01, 0.013), rtol=1e-9)


@given(FEW, st.sampled_from([-np.inf, MISSING, 0.5]), st.sampled_from([np.inf, 0.0, 1.0]))
def test_samples_at_the_rails_equal_the_naive_twin(raw: list[int], low: float, high: float) -> None:
    values = np.array(raw, np.int32)
    assert count_outside(values, MISSING, low, high) == naive.count_outside(values, MISSING, low, high)


def test_rails_reached_in_few_of_many_samples() -> None:
    values = np.zeros(5000, np.int32)
    values[[0, 1023, 1024, 3000, 4999]] = -128, 127, 127, MISSING, -129
    assert count_outside(values, MISSING, -128.0, 127.0) == 4
