"""Serving kernels one by one; all of them together against their definition: tests/engine/backtest/serve."""

from __future__ import annotations

import numpy as np
import pytest

from kernels import serving as kernel

FORMS = pytest.mark.parametrize("plain", [False, True], ids=["compiled", "plain"])


@FORMS
def test_median(plain: bool) -> None:
    form = kernel.median_of.py_func if plain else kernel.median_of
    rng = np.random.default_rng(0)
    for n in range(1, 12):
        values = rng.normal(0, 1, 12).round(1)
        assert form(values.copy(), n) == np.median(values[:n])


@FORMS
def test_places(plain: bool) -> None:
    find = kernel.find_path.py_func if plain else kernel.find_path
    last = kernel.last_usable.py_func if plain else kernel.last_usable
    origins = np.array([5, 9, 1, 3, 3, 8])
    assert [find(origins, 2, 6, at) for at in (0, 1, 2, 3, 7, 8, 99)] == [1, 2, 2, 4, 4, 5, 5]
    assert find(origins, 3, 3, 9) == 2
    usable = np.array([True, False, True, False])
    assert [last(usable, low, high) for low, high in ((0, 9), (0, 1), (1, 1), (3, 9))] == [2, 0, 0, 2]
