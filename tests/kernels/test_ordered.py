from __future__ import annotations

import numpy as np
import pytest

from kernels import ordered as kernel
from tests.naive import ordered as naive


@pytest.mark.parametrize("width", [1, 2, 7, 91])
def test_exchange_equals_the_naive_twin(width: int) -> None:
    rng = np.random.default_rng(width)
    for form in (kernel.exchange, kernel.exchange.py_func):
        now, then = kernel.room(width)
        held: list[float] = []
        for _ in range(4 * width):
            old = float(rng.choice(held)) if held and (len(held) == width or rng.random() < 0.5) else np.inf
            new = float(rng.integers(-3, 4)) if rng.random() < 0.8 else np.inf
            form(now, then, old, new)
            now, then = then, now
            held = naive.exchange(held, old, new)
            assert now.tolist() == [-np.inf, *held, *[np.inf] * (width + 1 - len(held))]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 90, 91])
def test_quantiles_are_those_of_numpy(size: int) -> None:
    values = np.sort(np.random.default_rng(size).normal(0, 1, size))
    window = np.concatenate([[-np.inf], values, [np.inf, np.inf]])
    for median in (kernel.median, kernel.median.py_func):
        assert median(window, size) == pytest.approx(np.median(values), rel=1e-15)
    for quantile in (kernel.quantile, kernel.quantile.py_func):
        for share in (0.0, 0.25, 0.5, 0.75, 1.0):
            assert quantile(window, size, share) == pytest.approx(np.quantile(values, share), rel=1e-13)
