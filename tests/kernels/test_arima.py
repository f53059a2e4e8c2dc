"""The ARIMA kernels against a normal vector with its whole covariance matrix."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import arima as kernel
from kernels.arima_filter import forecast
from kernels.arrays import Floats
from tests.naive import arima as naive

ORDERS = [(1, 1, 0, 1), (2, 1, 1, 0), (0, 2, 0, 0), (3, 0, 0, 0), (1, 2, 1, 1), (0, 0, 0, 0)]
each = pytest.mark.parametrize("orders", ORDERS, ids=str)


def coefficients(orders: tuple[int, ...], season: int = 5, seed: int = 0) -> tuple[Floats, Floats, Floats]:
    raw = np.random.default_rng(seed).uniform(-0.9, 0.9, sum(orders))
    phi, theta = kernel.polynomials(raw, np.array(orders), season)
    return raw, phi, theta


def walk(n: int, seed: int) -> Floats:
    return np.cumsum(np.random.default_rng(seed).normal(size=n)) + 50.0


@each
def test_polynomials_are_products(orders: tuple[int, ...]) -> None:
    raw, phi, theta = coefficients(orders)
    p, q, seasonal_p, _ = orders
    cut = np.split(raw, np.cumsum([p, q, seasonal_p]))
    parts = [kernel.from_partials(np.ascontiguousarray(part)) for part in cut]
    np.testing.assert_allclose(phi, naive.product(parts[0], parts[2], 5), atol=1e-15)
    np.testing.assert_allclose(theta, -naive.product(parts[1], parts[3], 5), atol=1e-15)


@given(st.lists(st.floats(-8, 8), min_size=1, max_size=5))
@settings(max_examples=60, deadline=None)
def test_any_numbers_make_a_stationary_factor(raw: list[float]) -> None:
    c = kernel.from_partials(np.array(raw))
    assert np.all(np.abs(np.roots(np.append(1.0, -c))) < 1.0)


@each
@pytest.mark.parametrize("n", [3, 9, 40])
def test_factor_is_the_covariance(orders: tuple[int, ...], n: int) -> None:
    _, phi, theta = coefficients(orders, seed=n)
    rows, v = kernel.factor(phi, theta, n)
    eye = np.eye(n)
    whitener = np.array([kernel.whiten(np.ascontiguousarray(eye[i]), phi, rows, theta.size) for i in range(n)]).T
    gamma = naive.covariance(phi, theta, n)
    np.testing.assert_allclose(whitener @ gamma @ whitener.T, np.diag(v), atol=1e-9 * gamma[0, 0])


@each
@pytest.mark.parametrize("constant", [False, True])
def test_likelihood(orders: tuple[int, ...], constant: bool) -> None:
    raw, phi, theta = coefficients(orders, seed=3)
    w = np.random.default_rng(1).normal(2.0, 1.5, 60)
    value, mean, _, _ = kernel.likelihood(raw, np.array(orders), 5, w, constant)
    expected, expected_mean = naive.likelihood(w, phi, theta, constant)
    assert value == pytest.approx(expected, abs=1e-9)
    assert mean == pytest.approx(expected_mean, abs=1e-9)


@each
@pytest.mark.parametrize("d,seasonal_d", [(0, 0), (1, 0), (0, 1), (1, 1)])
@pytest.mark.parametrize("n", [4, 45])
def test_forecasts_and_variances_from_every_origin(orders: tuple[int, ...], d: int, seasonal_d: int, n: int) -> None:
    _, phi, theta = coefficients(orders, seed=2)
    delta = kernel.expand(np.ones(d), np.ones(seasonal_d), 5)
    y = walk(delta.size + n + 9, seed=n)
    cut = delta.size + n
    m = max(phi.size, theta.size)
    w = np.array([y[t] - delta @ y[t - delta.size : t][::-1] for t in range(delta.size, cut)]) - 0.3
    rows, _ = kernel.factor(phi, theta, n)
    u = kernel.whiten(w, phi, rows, theta.size)
    known = delta.size + min(n, m)
    at = np.array([0, 1, 1, 5, 9])
    tail = np.ascontiguousarray(y[cut - known :])
    mean, variance = forecast(tail, known, n, np.ascontiguousarray(u[n - min(n, m) :]), delta, phi, theta, 0.3, at, 7)
    for row, origin in enumerate(at):
        expected, spread = naive.forecast(y[: cut + origin], delta, phi, theta, 0.3, 7)
        np.testing.assert_allclose(mean[row], expected, rtol=1e-8)
        np.testing.assert_allclose(variance[row], spread, rtol=1e-7)


def test_maximise_climbs_and_counts() -> None:
    rng = np.random.default_rng(5)
    e = rng.normal(size=400)
    w = np.zeros(400)
    for t in range(1, 400):
        w[t] = 0.7 * w[t - 1] + e[t] + 0.4 * e[t - 1]
    orders, start = np.array([1, 1, 0, 0]), np.zeros(2)
    first = kernel.likelihood(start, orders, 1, w, False)[0]
    best, value, used = kernel.maximise(start, orders, 1, w, False, 200)
    assert value < first and used < 200
    phi, theta = kernel.polynomials(best, orders, 1)
    assert phi[0] == pytest.approx(0.7, abs=0.1) and theta[0] == pytest.approx(0.4, abs=0.15)
    for near in np.vstack([np.eye(2), -np.eye(2)]) * 1e-3:
        assert kernel.likelihood(best + near, orders, 1, w, False)[0] > value
    for budget in (1, 2, 7, 30):
        assert kernel.maximise(start, orders, 1, w, False, budget)[2] <= budget


def test_no_value_where_nothing_varies() -> None:
    flat = np.zeros(30)
    assert kernel.likelihood(np.array([0.3]), np.array([1, 0, 0, 0]), 1, flat, False)[0] == np.inf
    best, value, used = kernel.maximise(np.array([0.3]), np.array([1, 0, 0, 0]), 1, flat, False, 50)
    assert value == np.inf and used == 1 and best.tolist() == [0.3]
