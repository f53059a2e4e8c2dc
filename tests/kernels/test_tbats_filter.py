"""The TBATS kernels against the paper's equations, and the search on what it was made from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kernels import tbats_filter as kernel
from kernels.arima import from_partials
from kernels.arrays import Floats
from tests.naive import tbats_filter as naive

SHAPES = [(0, 0, 0, 0, 0), (1, 0, 2, 0, 0), (1, 1, 3, 2, 1), (0, 0, 1, 0, 2), (1, 1, 0, 1, 0)]
each = pytest.mark.parametrize("shape", SHAPES, ids=str)
SEASON = 8


def free_numbers(shape: tuple[int, ...]) -> Floats:
    trend, damped, harmonics, p, q = shape
    return np.array(
        [0.3] + [0.02] * trend + [0.93] * damped + [0.004, 0.002] * (harmonics > 0) + [0.4, -0.2][:p] + [0.3, 0.2][:q]
    )


def parameters(shape: tuple[int, ...]) -> dict[str, Any]:
    trend, damped, harmonics, p, q = shape
    free = free_numbers(shape)
    at = free.size - p - q
    gamma = (float(free[at - 2]), float(free[at - 1])) if harmonics else (0.0, 0.0)
    return {
        "alpha": float(free[0]), "beta": float(free[1]) if trend else None, "phi": float(free[2]) if damped else 1.0,
        "gamma": gamma, "ar": from_partials(free[at : at + p]).tolist(),
        "ma": (-from_partials(free[at + p :])).tolist(), "season": SEASON,
    }  # fmt: skip


def series(n: int = 40) -> Floats:
    rng = np.random.default_rng(4)
    return 3 * np.sin(2 * np.pi * np.arange(n) / SEASON) + np.cumsum(rng.normal(0, 0.3, n)) + rng.normal(0, 1, n)


@each
def test_least_squares_of_the_first_state(shape: tuple[int, ...]) -> None:
    y = series()
    x = np.full(1 + shape[0] + 2 * shape[2] + shape[3] + shape[4], np.nan)
    squares = kernel.tbats_squares(y, free_numbers(shape), np.array(shape), SEASON, x)
    expected, state = naive.least_squares(y, naive.Tbats, bool(shape[0]), shape[2], **parameters(shape))
    assert squares == pytest.approx(expected, rel=1e-8)
    np.testing.assert_allclose(x, [*state, *[0.0] * (shape[3] + shape[4])], atol=1e-5)


@each
def test_filter_and_forecasts(shape: tuple[int, ...]) -> None:
    y = series()
    w, f, g = kernel.tbats_matrices(free_numbers(shape), np.array(shape), SEASON)
    x = np.zeros(w.size)
    x[0], x[1 : 1 + shape[0]] = 0.5, 0.1
    at = np.array([0, 1, 1, 17, 40])
    mean, variance = kernel.linear_forecast(y, w, f, g, x, at, 11)
    nothing = [0.0] * shape[2]
    for row, origin in enumerate(at):
        twin = naive.Tbats(**parameters(shape), level=0.5, slope=0.1 * shape[0], s=nothing[:], conjugate=nothing[:])
        twin.start().run(y[:origin])
        np.testing.assert_allclose(mean[row], twin.ahead(11), atol=1e-10)
    for h in range(11):
        twin = naive.Tbats(**parameters(shape), level=0.0, slope=0.0, s=nothing[:], conjugate=nothing[:]).start()
        twin.step(1.0)
        psi = np.append(1.0, twin.ahead(10))
        assert variance[h] == pytest.approx(np.sum(psi[: h + 1] ** 2), rel=1e-10)


def test_bounds_are_kept() -> None:
    y, shape = series(), np.array([1, 1, 1, 0, 0])
    x = np.zeros(4)
    good = np.array([0.3, 0.05, 0.9, 0.01, 0.01])
    assert kernel.tbats_squares(y, good, shape, SEASON, x) < kernel.REJECTED
    for place, value in ((0, -0.1), (0, 2.5), (2, 0.7), (2, 1.01), (3, 2.0)):
        bad = good.copy()
        bad[place] = value
        assert kernel.tbats_squares(y, bad, shape, SEASON, x) == kernel.REJECTED


def test_search_improves_within_its_budget() -> None:
    y, shape = series(200), np.array([0, 0, 1, 0, 0])
    start, reach, x = np.array([0.9, 0.0, 0.0]), np.array([0.2, 0.01, 0.01]), np.zeros(3)
    first = kernel.tbats_squares(y, start, shape, SEASON, x)
    best, squares, used = kernel.tbats_search(y, start, reach, shape, SEASON, 400)
    assert squares < 0.8 * first and used < 400
    assert squares == kernel.tbats_squares(y, best, shape, SEASON, x)
    assert 0.1 < best[0] < 0.5  # of a random walk with noise of 0.3 and 1.0: 0.26
    for budget in (1, 3, 5, 31):
        value, used = kernel.tbats_search(y, start, reach, shape, SEASON, budget)[1:]
        assert used <= budget and value <= first
