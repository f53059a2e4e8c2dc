from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from kernels import ets
from tests.naive import ets as naive

Floats = NDArray[np.float64]
THETAS = [
    (0.3, 0.1, 0.2, 0.9),
    (0.9999, 0.5, 0.0, 1.0),
    (1e-4, 1e-8, 0.9, 1.0),
    (0.5, 0.0, 0.3, 0.98),
    (1.0, 1.0, 0.0, 1.0),
]


def series(n: int, seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    return np.cumsum(rng.normal(size=n)) + 4 * np.sin(np.arange(n) * 2 * np.pi / 6) + rng.normal(size=n)


def solved(y: Floats, theta: Floats, m: int, trend: bool) -> tuple[float, Floats, Floats, Floats]:
    k = m + trend
    errors, start, last = np.zeros((3, y.size + m)), np.empty(2 + m), np.empty(2 + m)
    total = ets.solve(y, theta, errors, np.empty((3, m)), np.empty((k, k)), start, last)
    return total, start, last, errors


@pytest.mark.parametrize("theta", THETAS)
@pytest.mark.parametrize(("m", "n"), [(6, 50), (6, 12), (7, 15), (1, 30)])
def test_the_filter_equals_the_matrices(theta: tuple[float, ...], m: int, n: int) -> None:
    rng = np.random.default_rng(n)
    y, start = series(n, m), rng.normal(size=2 + m)
    state = start.copy()
    total = ets.run(y, np.array(theta), state)
    errors, last = naive.run(y, np.array(theta), start)
    assert total == pytest.approx(errors @ errors, rel=1e-11)
    np.testing.assert_allclose(state, last, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("theta", THETAS)
def test_one_impulse_response_gives_the_column_of_every_initial_state(theta: tuple[float, ...]) -> None:
    m, n = 6, 40
    errors = np.zeros((3, n + m))
    y = series(n, 1)
    ets.respond(y, np.array(theta), errors, np.empty((3, m)))
    columns = naive.columns(n, np.array(theta), m)
    np.testing.assert_allclose(-errors[1, :n], columns[:, 1], atol=1e-12)
    for j in range(m):
        np.testing.assert_allclose(-errors[0, : n - j], columns[j:, 2 + j], atol=1e-12)
        assert not columns[:j, 2 + j].any()
    np.testing.assert_allclose(errors[2, :n], naive.run(y, np.array(theta), np.zeros(2 + m))[0], atol=1e-9)
    np.testing.assert_allclose(columns[:, 0], columns[:, 2:].sum(axis=1), atol=1e-12)  # why the level can be left out


@pytest.mark.parametrize("trend", [False, True])
@pytest.mark.parametrize(("m", "n"), [(6, 50), (6, 14), (24, 60), (1, 20)])
def test_the_gram_matrix_follows_from_its_last_column(m: int, n: int, trend: bool) -> None:
    theta = np.array([0.3, 0.05, 0.2, 0.9])
    errors, matrix = np.zeros((3, n + m)), np.zeros((m + trend, m + trend))
    ets.respond(series(n, 2), theta, errors, np.empty((3, m)))
    ets.gram(errors, n, m, matrix, np.empty(m))
    kept = [*range(2, 2 + m), 1][: m + trend]
    columns = naive.columns(n, theta, m)[:, kept]
    np.testing.assert_allclose(np.triu(matrix), np.triu(columns.T @ columns), atol=1e-10)


@pytest.mark.parametrize("theta", THETAS[:4])
@pytest.mark.parametrize("trend", [False, True])
@pytest.mark.parametrize(("m", "n"), [(6, 50), (24, 72), (24, 168), (1, 30)])
def test_solved_initial_states_leave_the_least_errors(theta: tuple[float, ...], trend: bool, m: int, n: int) -> None:
    y, smooth = series(n, 3), np.array(theta)
    total, start, last, _ = solved(y, smooth, m, trend)
    least, end = naive.solve(y, smooth, m, trend)
    assert total == pytest.approx(least, rel=1e-8)
    np.testing.assert_allclose(naive.run(y, smooth, start)[1], last, atol=1e-8)
    np.testing.assert_allclose(last[2:] + last[0], end[2:] + end[0], rtol=1e-5, atol=1e-4)


def test_a_state_that_leaves_no_trace_stays_zero() -> None:
    """α = β = 1: the first error wipes the trend out, and the first seasonal figure has eaten that."""
    total, start, _, _ = solved(series(30, 4), np.array([1.0, 1.0, 0.0, 1.0]), 1, True)
    assert np.isfinite(total) and np.isfinite(start).all()
    errors = np.zeros((3, 31))
    matrix = np.array([[4.0, 2.0], [0.0, 1.0]])
    ets.factor(matrix)
    assert matrix[0, 0] == 2.0 and matrix[1, 1] == np.inf
    x = np.array([2.0, 5.0])
    ets.forward(matrix, x)
    ets.backward(matrix, x)
    assert x.tolist() == [0.5, 0.0] and not errors.any()
