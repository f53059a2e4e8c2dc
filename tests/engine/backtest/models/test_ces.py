"""Complex exponential smoothing: the library's estimate in our linear form."""

from __future__ import annotations

import numpy as np
import pytest

from engine.backtest.models.ces import Ces, matrices
from tests.engine.backtest.models import promises
from tests.engine.backtest.models.agreement import daily


@pytest.mark.parametrize("kind", "NSPF")
def test_forecast_at_the_cutoff_is_the_librarys(kind: str) -> None:
    from statsforecast.models import AutoCES

    y = daily(150, seed=2)
    theirs = AutoCES(24, model=kind).fit(y).predict(30)["mean"]
    model = Ces(type=kind)
    ours = model.predict(promises.learned(model, y), promises.NONE, promises.NOW, 30)
    np.testing.assert_allclose(ours.mean[0], theirs, rtol=1e-9)


def test_filter_is_the_librarys_forward() -> None:
    """`forward` runs over all hours anew, with a first state cast back from the longer series: for the type without a
    season that is forgotten; seasonal states still differ by a few hundredths."""
    from statsforecast.models import AutoCES

    y = daily(150, seed=2)
    there = AutoCES(24, model="N").fit(y[:120])
    model = Ces(type="N")
    at = np.array([0, 1, 13, 30])
    ours = model.predict(promises.learned(model, y[:120]), y[120:], at, 24)
    for row, origin in enumerate(at):
        np.testing.assert_allclose(ours.mean[row], there.forward(y[: 120 + origin], 24)["mean"], rtol=1e-8)


def test_filter_is_the_models_recursion_without_a_level() -> None:
    y, model = daily(150, seed=2), Ces(type="S")
    params = promises.learned(model, y[:120])
    a0, a1, *_ = params["smoothing"]
    level, hidden = params["x"][:24][::-1], params["x"][24:][::-1]
    for value in y[120:]:
        old, shadow = level.pop(0), hidden.pop(0)
        e = value - old
        level.append(old - (1 - a1) * shadow + (a0 - a1) * e)
        hidden.append(old + (1 - a0) * shadow + (a0 + a1) * e)
    ours = model.predict(params, y[120:], np.array([30]), 24).mean[0]
    np.testing.assert_allclose(ours, level, rtol=1e-10)


@pytest.mark.parametrize("kind", "PF")
def test_filter_is_the_models_recursion(kind: str) -> None:
    """Level and hidden level, and the same of the season a day ago, one line each."""
    y, model = daily(150, seed=2), Ces(type=kind)
    params = promises.learned(model, y[:120])
    a0, a1, b0, b1 = params["smoothing"]
    level, hidden = params["x"][:2]
    season, shadow = params["x"][2:26][::-1], params["x"][26:][::-1] or [0.0] * 24
    for value in y[120:]:
        e = value - level - season[0]
        level, hidden = level - (1 - a1) * hidden + (a0 - a1) * e, level + (1 - a0) * hidden + (a0 + a1) * e
        s, c = season.pop(0), shadow.pop(0)
        season.append(s + b0 * e if kind == "P" else s - (1 - b1) * c + (b0 - b1) * e)
        shadow.append(s + (1 - b0) * c + (b0 + b1) * e)
    ours = model.predict(params, y[120:], np.array([30]), 1).mean[0, 0]
    assert ours == pytest.approx(level + season[0], rel=1e-10)


def test_matrices_are_of_the_states_size() -> None:
    for kind, size in (("N", 2), ("S", 48), ("P", 26), ("F", 50)):
        w, f, g = matrices(kind, 24, 1.3, 1.0, 0.1, 0.2)
        assert w.shape == g.shape == (size,) and f.shape == (size, size)
        assert w.sum() == (2.0 if kind in "PF" else 1.0)


def test_error_is_flat_in_age() -> None:
    promises.error_is_flat_in_age(Ces(type="P"), range(5), most=3.0)


def test_types() -> None:
    assert Ces().select(daily(120), 200) in "NSPF"
    assert not Ces(type="P").selects
    with pytest.raises(ValueError, match="none of"):
        Ces(type="Q")
