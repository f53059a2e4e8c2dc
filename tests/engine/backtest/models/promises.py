"""What every model must keep that fits one slice at a time; each function fails where the model does not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from engine.backtest.contract import Floats, Model, Params, Paths
from tests.engine.backtest.models.agreement import daily
from tests.engine.backtest.models.replay import forecasts_equally_elsewhere

NONE = np.empty(0)
NOW = np.zeros(1, np.int64)


def learned(model: Model, y: Floats, evaluations: int = 200, warm: Params | None = None, form: str = "") -> Params:
    """Parameters of a fit, by way of their JSON."""
    form = form or (model.select(y, evaluations) if model.selects else "")
    fitted = model.fit(y, form, warm, evaluations)
    params = json.loads(json.dumps(fitted.params, allow_nan=False))
    assert params == fitted.params, "JSON changed the parameters"
    assert isinstance(fitted.evaluations, int)
    return params  # type: ignore[no-any-return]


def same(one: Paths, other: Paths) -> None:
    for ours, theirs in ((one.mean, other.mean), (one.low, other.low), (one.high, other.high)):
        assert (ours is None) == (theirs is None)
        if ours is not None and theirs is not None:
            np.testing.assert_array_equal(ours, theirs)


def fits_are_deterministic(model: Model, n: int = 168) -> None:
    """Same slice, same bits; and a fit changes neither its slice nor what a second fit learns."""
    y = daily(n, seed=1)
    kept = y.copy()
    first = learned(model, y)
    assert learned(model, y) == first
    np.testing.assert_array_equal(y, kept)


def rows_see_nothing_later(model: Model, n: int = 168, steps: int = 12) -> Params:
    """Poison test: a row is what a call with nothing after its origin gives, whatever follows."""
    y = daily(n + 30, seed=2)
    params, after = learned(model, y[:n]), y[n:]
    at = np.array([0, 1, 7, 7, 30]) if model.updates else np.zeros(3, np.int64)
    whole = model.predict(params, after, at, steps)
    assert whole.mean.shape == (at.size, steps) and np.isfinite(whole.mean).all()
    for poison in (np.nan, 1e9):
        for row, origin in enumerate(at):
            bad = after.copy()
            bad[origin:] = poison
            with np.errstate(all="ignore"):
                same(_row(model.predict(params, bad, at[: row + 1], steps), row), _row(whole, row))
            same(model.predict(params, after[:origin], at[row : row + 1], steps), _row(whole, row))
    longer = model.predict(params, after, at, steps + 9)
    np.testing.assert_allclose(longer.mean[:, :steps], whole.mean, rtol=1e-12)
    return params


def quantiles_are_ordered(model: Model, params: Params) -> None:
    paths = model.predict(params, NONE, NOW, 24)
    assert paths.low is not None and paths.high is not None
    assert (paths.low < paths.mean).all() and (paths.mean < paths.high).all()


def json_forecasts_equally_elsewhere(models: Sequence[Model], n: int = 168) -> None:
    """The JSON of fits, in a new process, forecasts the same bits, without the libraries that estimated them."""
    y = daily(n + 30, seed=6)
    asks: list[dict[str, Any]] = []
    for model in models:
        asks.append(
            {
                "module": type(model).__module__, "name": type(model).__name__,
                "parameters": asdict(model),  # type: ignore[call-overload]
                "params": learned(model, y[:n]), "after": y[n:].tolist(),
                "at": [0, 3, 30] if model.updates else [0, 0], "steps": 30,
            }
        )  # fmt: skip
    loaded = forecasts_equally_elsewhere(models, asks)
    assert not {"statsforecast", "sklearn", "statsmodels"} & loaded


def errors_by_age(model: Model, seeds: range, window: int = 168, days: int = 3) -> Floats:
    """Mean absolute error of the first step by age, 0 … 23 h, on stationary seasonal series: (24,) float64."""
    total = np.zeros(24)
    for seed in seeds:
        rng = np.random.default_rng(seed)
        n = window + 24 * (days + 1)
        y = 70 + 8 * np.sin(2 * np.pi * np.arange(n) / 24) + rng.normal(0, 1.5, n)
        form = model.select(y[:window], 100) if model.selects else ""
        for cut in range(window, n - 24, 24):
            params = model.fit(y[cut - window : cut], form, None, 100).params
            paths = model.predict(params, y[cut : cut + 24], np.arange(24), 1)
            total += np.abs(y[cut : cut + 24] - paths.mean[:, 0])
    return total / (len(seeds) * days)


def error_is_flat_in_age(model: Model, seeds: range, least: float = 1.2, most: float = 2.2) -> None:
    """Age test: the filter keeps the error of the first day's halves and thirds together, near the noise's 1.2."""
    errors = errors_by_age(model, seeds)
    thirds = errors.reshape(3, 8).mean(axis=1)
    assert least * 0.6 < thirds.min() and thirds.max() < most
    assert thirds.max() / thirds.min() < 1.35, thirds


def _row(paths: Paths, row: int) -> Paths:
    return Paths(*(None if part is None else part[row : row + 1] for part in (paths.mean, paths.low, paths.high)))  # type: ignore[arg-type]
