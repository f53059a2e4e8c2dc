from __future__ import annotations

import numpy as np
import pytest
from statsmodels.tsa.seasonal import STL

from kernels.stl import smoothers, stl, trend_length
from kernels.stl_sweep import looser, same_weights
from tests.engine.backtest.models.agreement import daily
from tests.naive import stl as twin

SIZES = [(48, 24), (49, 24), (72, 24), (168, 24), (175, 24), (336, 24), (60, 7), (30, 5), (200, 12)]


@pytest.mark.parametrize(("n", "season"), SIZES)
def test_components_equal_those_of_statsmodels(n: int, season: int) -> None:
    """statsmodels comes with statsforecast, a dependency."""
    y = daily(n, seed=n)
    expected = STL(y, period=season, seasonal=11, seasonal_deg=0).fit()
    seasonal, trend = stl(y, season)
    np.testing.assert_allclose(seasonal, expected.seasonal, rtol=0, atol=1e-10)
    np.testing.assert_allclose(trend, expected.trend, rtol=0, atol=1e-10)


@pytest.mark.parametrize(("n", "season"), [(50, 24), (30, 5), (44, 4)])
def test_components_equal_the_twin(n: int, season: int) -> None:
    y = daily(n, seed=n)
    for ours, theirs in zip(stl(y, season), twin.stl(y, season), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-10)


def test_a_straight_line_is_all_trend_and_an_exact_rhythm_all_season() -> None:
    hours = np.arange(168)
    line, rhythm = 70 + 0.1 * hours, np.sin(2 * np.pi * hours / 24)
    np.testing.assert_allclose(stl(line, 24)[1], line, rtol=1e-6)
    np.testing.assert_allclose(stl(rhythm, 24)[0], rhythm, atol=1e-3)


@pytest.mark.parametrize("season", [4, 24])
def test_weights_are_shared_only_where_they_are_equal(season: int) -> None:
    sizes = [trend_length(season), trend_length(season) + 1, 14 * season, 99 * season, 100 * season]
    for n in sizes:
        assert same_weights(n, sizes[0], season)
        for a, b in zip(smoothers(n, season), smoothers(sizes[0], season), strict=True):
            np.testing.assert_array_equal(a, b)
    assert not same_weights(sizes[0] - 1, sizes[0], season) and not same_weights(100 * season + 1, sizes[0], season)
    assert not same_weights(sizes[0], 0, season)


@pytest.mark.parametrize(("n", "season"), [(48, 24), (60, 24), (72, 24), (168, 24), (175, 24), (60, 7)])
def test_what_the_figure_costs_is_that_of_the_whole_decomposition(n: int, season: int) -> None:
    """STL is linear: its matrix is what it makes of each hour's unit impulse."""
    matrix = np.column_stack([stl(impulse, season)[0] for impulse in np.eye(n)])
    left = np.sum((np.eye(n) - matrix) ** 2)
    added = np.mean(np.sum(matrix[-season:] ** 2, axis=1))
    assert looser(n, 0, season) == pytest.approx(n / left * (1 + added), rel=0.05)
