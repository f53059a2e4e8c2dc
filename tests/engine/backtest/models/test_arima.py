"""ARIMA of a given order, and of a chosen one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.backtest.contract import FitError, Floats, Model
from engine.backtest.models.arima import Arima, Order, differencing, estimate, parse, project
from engine.backtest.models.auto_arima import AutoArima
from tests.engine.backtest.models import promises
from tests.engine.backtest.models.agreement import daily

FIXED: list[Model] = [Arima(), Arima("(2,1,2)"), Arima("(2,0,1)(1,0,0)[24]c"), Arima("(0,1,1)c"), Arima("(0,1,0)")]
orders = st.tuples(*[st.integers(0, 3), st.integers(0, 1), st.integers(0, 3)] * 2)


@given(orders, st.booleans())
def test_forms_are_read_as_written(numbers: tuple[int, ...], constant: bool) -> None:
    order = Order(*numbers, 24 if any(numbers[3:]) else 1, constant)
    assert parse(order.form) == order


@pytest.mark.parametrize(
    "form", ["", "(1,0)", "(1,0,1)(0,1,1)", "(1,0,1)(0,1,1)[1]", "(0,3,0)", "(1,0,1)[24]", "1,0,1"]
)
def test_other_texts_are_refused(form: str) -> None:
    with pytest.raises(ValueError, match=r"is no order|out of range"):
        Arima(form)


def test_differencing() -> None:
    assert differencing(parse("(0,2,0)")).tolist() == [2.0, -1.0]
    delta = differencing(parse("(0,1,0)(0,1,0)[3]"))
    y = daily(20)
    np.testing.assert_allclose(
        [y[t] - delta @ y[t - 4 : t][::-1] for t in range(4, 20)], np.diff(y[3:] - y[:-3]), atol=1e-12
    )


def library(y: Floats, order: Order, **options: Any) -> dict[str, Any]:
    from statsforecast.arima import arima

    seasonal = {"order": (order.seasonal_p, order.seasonal_d, order.seasonal_q), "period": order.season}
    found: dict[str, Any] = arima(
        np.array(y), (order.p, order.d, order.q), seasonal, include_mean=order.constant, method="CSS-ML", **options
    )
    return found


@pytest.mark.parametrize("form", ["(1,0,1)(0,1,1)[24]", "(2,0,1)(1,0,0)[24]c", "(2,1,2)"])
def test_forecasts_equal_the_librarys_with_our_coefficients_on_expanding_windows(form: str) -> None:
    from statsforecast.arima import predict_arima

    y, order = daily(150, seed=4), parse(form)
    params = dict(estimate(y[:120], order, None, 200).params)
    coefficients = np.array([*params["ar"], *params["ma"], *params["sar"], *params["sma"]])
    if order.constant:
        coefficients = np.append(coefficients, params["mean"])
    at = np.array([0, 1, 13, 30])
    ours = project(params, y[120:], at, 24)
    for row, origin in enumerate(at):
        found = library(y[: 120 + origin], order, fixed=coefficients)
        mean, sd = predict_arima({**found, "sigma2": params["sigma2"]}, 24)
        np.testing.assert_allclose(ours.mean[row], mean, rtol=2e-6)  # its differenced start has variance 1e6, ours none
        assert ours.high is not None
        np.testing.assert_allclose((ours.high - ours.mean)[row], 1.2815515655446004 * sd, rtol=2e-5)


@pytest.mark.parametrize("form", ["(1,0,1)(0,1,1)[24]", "(1,0,0)(1,0,0)[24]c", "(2,1,1)"])
def test_likelihood_is_no_worse_than_the_librarys(form: str) -> None:
    """Both log likelihoods by the library: at our coefficients, and where its own search ended."""
    order = parse(form)
    for seed in range(3):
        y = daily(120, seed=seed)
        params = estimate(y, order, None, 200).params
        coefficients = [*params["ar"], *params["ma"], *params["sar"], *params["sma"]]
        ours = library(y, order, fixed=np.array(coefficients + [params["mean"]] * order.constant))
        theirs = library(y, order)["loglik"]  # sometimes NaN, as its coefficients
        assert np.isnan(theirs) or ours["loglik"] > theirs - 0.05


def test_error_is_flat_in_age() -> None:
    promises.error_is_flat_in_age(Arima(), range(6))


def test_a_warm_start_needs_fewer_evaluations_and_budgets_hold() -> None:
    y = daily(169, seed=8)
    model = Arima()
    anchor = model.fit(y[:168], "", None, 200)
    warm = model.fit(y[1:], "", anchor.params, 200)
    cold = model.fit(y[1:], "", None, 200)
    assert warm.evaluations < cold.evaluations
    np.testing.assert_allclose(warm.params["sigma2"], cold.params["sigma2"], rtol=0.02)
    assert model.fit(y[1:], "", None, 20).evaluations <= 20
    other = promises.learned(Arima("(2,1,2)"), y[:168])
    assert model.fit(y[1:], "", other, 200) == cold  # parameters of another form start nothing


def test_a_series_that_repeats_itself_is_repeated() -> None:
    y = np.tile(daily(24, seed=3), 5)
    params = promises.learned(Arima(), y)
    paths = Arima().predict(params, y[:30], np.array([0, 6]), 24)
    np.testing.assert_allclose(paths.mean[0], y[:24], rtol=1e-12)
    np.testing.assert_allclose(paths.mean[1], y[6:30], rtol=1e-12)
    assert params["sigma2"] == 0.0


@pytest.mark.parametrize("model", FIXED, ids=repr)
def test_shortest_slices(model: Model) -> None:
    y = daily(200, seed=5)
    paths = model.predict(promises.learned(model, y[: model.shortest]), y[100:110], np.array([0, 10]), 24)
    assert np.isfinite(paths.mean).all()
    with pytest.raises(FitError, match="too few"):
        model.fit(y[: len(differencing(parse(model.order))) + 2], "", None, 200)  # type: ignore[attr-defined]


def test_long_slices_and_large_values() -> None:
    y = daily(400, seed=5) * 1e6
    ours = Arima().predict(promises.learned(Arima(), y), y[:0], promises.NOW, 24).mean
    small = Arima().predict(promises.learned(Arima(), y / 1e6), y[:0], promises.NOW, 24).mean
    np.testing.assert_allclose(ours, small * 1e6, rtol=1e-5)


@pytest.mark.parametrize("search", ["exact", "library"])
def test_the_search_chooses_a_form_that_can_be_fitted(search: str) -> None:
    y, model = daily(120, seed=7), AutoArima(search=search, orders=6)
    form = model.select(y, 200)
    assert parse(form).season == 24
    assert model.fit(y, form, None, 200).params["form"] == form
    flat = AutoArima(1, search, 6).select(np.random.default_rng(0).normal(5, 1, 60), 200)
    assert parse(flat).season == 1 and parse(flat).constant
    with pytest.raises(ValueError, match="no search"):
        AutoArima(search="other")
