from __future__ import annotations

import itertools

import numpy as np
import pytest

from kernels import movement as kernel
from tests.naive import movement as naive

SCALE, OFFSET = np.array([1 / 64, 1 / 32, 0.01]), np.array([0.0, 0.1, -0.02])


def _axes(n: int, seed: int, missing: float):  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(seed)
    axes = [rng.integers(-128, 128, n).astype(np.int32) for _ in range(3)]
    for axis in axes:
        axis[rng.random(n) < missing] = kernel.MISSING
    return axes


@pytest.mark.parametrize("n", [0, 1, 2, 50, 400])
@pytest.mark.parametrize("missing", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("compiled", [True, False])
def test_sums_equal_the_naive_twin(n: int, missing: float, compiled: bool) -> None:
    axes = _axes(n, n, missing)
    bounds = np.unique(np.array([0, n // 3, n // 2, n, *range(n // 2, n, 7)], np.int64))
    move, deviate = (f if compiled else f.py_func for f in (kernel.movement, kernel.deviation))
    floats, integers = move(*axes, SCALE, OFFSET, bounds, 1.5)
    for e, (low, high) in enumerate(itertools.pairwise(bounds)):
        *sums, whole = naive.epoch(*axes, SCALE, OFFSET, low, high, 1.5)
        np.testing.assert_allclose(floats[e], sums, rtol=1e-12)
        mean = floats[e, 0] / max(integers[e, kernel.COUNT], 1)
        assert deviate(*(axis[low:high] for axis in axes), SCALE, OFFSET, mean) == floats[e, 2]
        assert integers[e].tolist() == whole


def test_epochs_side_by_side_do_not_feel_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    axes, bounds = _axes(900, 1, 0.1), np.array([0, 0, 300, 301, *range(310, 900, 29), 900], np.int64)
    together = kernel.movement(*axes, SCALE, OFFSET, bounds, 1.5)
    monkeypatch.setattr(kernel, "AT_ONCE", 1)
    alone = kernel.movement.py_func(*axes, SCALE, OFFSET, bounds, 1.5)
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_sample_missing_on_one_axis_is_missing() -> None:
    x = np.array([64, 64], np.int32)
    y = np.array([0, kernel.MISSING], np.int32)
    z = np.array([0, 0], np.int32)
    floats, integers = kernel.movement(x, y, z, np.full(3, 1 / 64), np.zeros(3), np.array([0, 2]), np.inf)
    assert floats.tolist() == [[1.0, 0.0, 0.0]]
    assert integers[0, kernel.COUNT] == 1
