from __future__ import annotations

import numpy as np
import pytest

from kernels import theta as kernel
from tests.engine.backtest.models.agreement import daily
from tests.naive import classical
from tests.naive import theta as twin

FORMS = pytest.mark.parametrize("form", range(4), ids=["STM", "OTM", "DSTM", "DOTM"])


def _fit(y, season, form, budget=200):  # type: ignore[no-untyped-def]
    row = np.full(kernel.FIGURE + season, np.nan)
    used = kernel.fit(y, season, form, np.nan, budget, row)
    return row, used


def _errors(x, form, alpha):  # type: ignore[no-untyped-def]
    a, b = np.empty(x.size), np.empty(x.size)
    kernel.lines(x, form & kernel.DYNAMIC != 0, a, b)
    return kernel.solve(x, a, b, alpha, form & kernel.OPTIMISED != 0)


def test_lines_equal_least_squares() -> None:
    x = daily(60)
    a, b = np.empty(60), np.empty(60)
    kernel.lines(x, True, a, b)
    for i in (0, 1, 2, 30, 59):
        np.testing.assert_allclose((a[i], b[i]), twin.line(x[: i + 1]), rtol=1e-10, atol=1e-10)
    kernel.lines(x, False, a, b)
    np.testing.assert_allclose((a[7], b[7]), twin.line(x), rtol=1e-10)


@FORMS
@pytest.mark.parametrize("alpha", [0.1, 0.4, 0.95])
def test_the_start_and_the_weight_are_solved(form: int, alpha: float) -> None:
    x = daily(80, seed=form, swing=0.5)
    errors, weight, start, _ = _errors(x, form, alpha)
    dynamic = form & kernel.DYNAMIC != 0

    def squares(weight: float, start: float) -> float:
        return float((twin.run(x, dynamic, alpha, weight, x[0] + start, 0)[0][kernel.BURN :] ** 2).sum())

    assert squares(weight, start) == pytest.approx(errors, rel=1e-9)
    assert squares(weight, start + 0.3) >= errors and squares(weight, start - 0.3) >= errors
    if form & kernel.OPTIMISED:
        for other in (weight + 0.01, weight - 0.01):
            if 0 <= other <= 1:
                assert squares(other, start) > errors
    else:
        assert weight == 0.5


@FORMS
def test_the_search_finds_the_least_of_a_dense_grid(form: int) -> None:
    for seed in range(12):
        x = daily(100, seed=seed, swing=0.0, noise=0.2 * seed)
        row, used = _fit(x, 1, form)
        grid = np.linspace(kernel.LEAST, kernel.MOST, 300)
        least = min(_errors(x, form, alpha)[0] for alpha in grid)
        assert _errors(x, form, row[kernel.ALPHA])[0] <= least * 1.002
        assert used <= 25
        assert _fit(x, 1, form, budget=8)[1] <= 9


@FORMS
@pytest.mark.parametrize("level", [70.0, 2.0], ids=["multiplicative", "additive"])
def test_forecasts_equal_the_twin(form: int, level: float) -> None:
    y = daily(168, seed=1, level=level)
    row, _ = _fit(y, 24, form)
    figure = np.tile(classical.seasonal_figure(y, 24, level > 20), 9)
    x = y / figure[:168] if level > 20 else y - figure[:168]
    assert row[kernel.MULTIPLIES] == (level > 20)
    start = x[0] + _errors(x, form, row[kernel.ALPHA])[2]
    _, ahead = twin.run(x, form & kernel.DYNAMIC != 0, row[kernel.ALPHA], row[kernel.WEIGHT], start, 30)
    season = figure[168:198]
    mean, low, high = np.empty((3, 1, 30))
    zero = np.zeros(1, np.int64)
    kernel.theta_paths(row[None, :], y[:0], zero, np.array([0, 1]), zero, 24, zero, mean, low, high)
    np.testing.assert_allclose(mean[0], ahead * season if level > 20 else ahead + season, rtol=1e-9)
    assert (low < mean).all() and (mean < high).all()


@FORMS
def test_what_follows_moves_the_states_on_and_the_figure_stays(form: int) -> None:
    y = daily(200, seed=2)
    row, _ = _fit(y[:168], 24, form)
    figure = row[kernel.FIGURE :].copy()
    state = row.copy()
    for k in range(10):
        kernel.take(state, y[168 + k] / figure[k])
    state[kernel.FIGURE :] = np.roll(figure, -10)
    zero, one = np.zeros(1, np.int64), np.array([0, 1])
    here, there = np.empty((3, 1, 24)), np.empty((3, 1, 24))
    kernel.theta_paths(row[None, :], y[168:], zero, one, np.array([10]), 24, zero, *here)
    kernel.theta_paths(state[None, :], y[:0], zero, one, zero, 24, zero, *there)
    np.testing.assert_allclose(here, there, rtol=1e-13)


def test_the_chosen_form_explains_best_for_its_unknowns() -> None:
    chosen = set()
    for seed in range(9):
        y = daily(120, seed=seed, swing=seed % 4) + 0.2 * (seed % 3) * np.arange(120)
        unknowns = np.array([3 if form & kernel.OPTIMISED else 2 for form in range(4)])
        spreads = np.array([_fit(y, 24, form)[0][kernel.SPREAD] for form in range(4)])
        scores = 117 * np.log(spreads**2 * (117 - unknowns)) + unknowns * np.log(117)
        chosen.add(kernel.choose_theta(y, 24, 200))
        assert kernel.choose_theta(y, 24, 200) == np.argmin(scores)
    assert len(chosen) > 1
