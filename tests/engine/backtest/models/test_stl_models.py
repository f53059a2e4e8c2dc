"""What STL's models forecast, against the same written out with NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from engine.backtest.models.ets import ETS
from engine.backtest.models.stl_drift import STLDrift
from engine.backtest.models.stl_naive import STLNaive
from engine.backtest.models.stlm_ets import STLMEts
from kernels.stl import stl
from kernels.stl_sweep import looser
from tests.engine.backtest.models.agreement import daily

Z90 = 1.2815515655446004


@pytest.mark.parametrize("n", [168, 175])
@pytest.mark.parametrize("later", [0, 5])
def test_walks_go_on_from_the_newest_value_less_its_figure(n: int, later: int) -> None:
    y = daily(n + later, seed=n)
    seasonal = stl(y[:n], 24)[0]
    figure = np.resize(seasonal[-24:], later + 30)
    rest = y - np.concatenate([seasonal, figure[:later]])
    at = np.array([later])
    plain = STLNaive().predict(STLNaive().fit(y[:n], "", None, 1).params, y[n:], at, 30)
    np.testing.assert_allclose(plain.mean[0], rest[-1] + figure[later:], rtol=1e-12)
    steps, differences = np.arange(1, 31), np.diff(rest[:n])
    assert plain.high is not None
    spread = np.sqrt((differences**2).mean() * looser(n, 1, 24))
    np.testing.assert_allclose(plain.high[0] - plain.mean[0], Z90 * spread * np.sqrt(steps), rtol=1e-10)
    drifting = STLDrift().predict(STLDrift().fit(y[:n], "", None, 1).params, y[n:], at, 30)
    np.testing.assert_allclose(drifting.mean[0], rest[-1] + differences.mean() * steps + figure[later:], rtol=1e-12)
    wide = Z90 * differences.std(ddof=1) * np.sqrt(looser(n, 2, 24) * steps * (1 + steps / (n - 1)))
    assert drifting.low is not None
    np.testing.assert_allclose(drifting.mean[0] - drifting.low[0], wide, rtol=1e-10)


@pytest.mark.parametrize("form", ["ANN", "AAN", "AAdN"])
def test_the_rest_is_smoothed_as_ets_alone_would(form: str) -> None:
    y = daily(180, seed=8)
    seasonal = stl(y[:168], 24)[0]
    figure = np.resize(seasonal[-24:], 48)
    rest = y - np.concatenate([seasonal, figure[:12]])
    alone, model = ETS(form), STLMEts(forms=(form,))
    expected = alone.predict(alone.fit(rest[:168], "", None, 200).params, rest[168:], np.array([12]), 24)
    paths = model.predict(model.fit(y[:168], form, None, 200).params, y[168:], np.array([12]), 24)
    assert paths.low is not None and expected.low is not None
    np.testing.assert_allclose(paths.mean, expected.mean + figure[12:36], rtol=1e-12)
    wider = np.sqrt(looser(168, {"ANN": 2, "AAN": 4, "AAdN": 5}[form], 24))
    np.testing.assert_allclose(paths.mean - paths.low, wider * (expected.mean - expected.low), rtol=1e-9)


@pytest.mark.parametrize("n", [72, 168])
def test_four_in_five_of_the_next_hours_lie_within_the_quantiles(n: int) -> None:
    """Hours that keep the model's own promises: a level that moves, a season that stays. Without the figure's share the
    quantiles hold 61 % at 72 h."""
    model, inside = STLMEts(forms=("ANN",)), []
    for seed in range(200):
        noise = np.random.default_rng(seed).normal(0, 1, n + 1)
        level = np.concatenate([[0.0], 0.3 * np.cumsum(noise)[:-1]])
        y = 50 + 5 * np.sin(2 * np.pi * np.arange(n + 1) / 24) + level + noise
        path = model.predict(model.fit(y[:n], "ANN", None, 200).params, y[n:], np.array([0]), 1)
        assert path.low is not None and path.high is not None
        inside.append(path.low[0, 0] <= y[n] <= path.high[0, 0])
    assert np.mean(inside) == pytest.approx(0.8, abs=0.06)


def test_a_form_is_chosen_by_its_rest() -> None:
    hours = np.arange(168)
    noise = np.random.default_rng(9).normal(0, 2, 168)
    rhythm = 8 * np.sin(2 * np.pi * hours / 24)
    assert STLMEts().select(70 + rhythm + noise, 200) == "ANN"
    assert STLMEts().select(70 + rhythm + noise + 0.5 * hours, 200) == "AAN"


@pytest.mark.parametrize("forms", [(), ("AAA",), ("ANN", "MAN")])
def test_forms_with_a_season_or_unknown_are_refused(forms: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="choose among ANN, AAN, AAdN"):
        STLMEts(forms=forms)
