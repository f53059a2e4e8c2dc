from __future__ import annotations

import numpy as np
import pytest

from kernels.classical import ADDITIVE, MULTIPLICATIVE, NONE, adjust, is_seasonal, seasonal_figure
from tests.engine.backtest.models.agreement import daily
from tests.naive import classical as twin


@pytest.mark.parametrize("season", [4, 7, 24])
@pytest.mark.parametrize("n", [50, 168])
def test_figures_and_the_test_equal_the_twins(season: int, n: int) -> None:
    y = daily(n, seed=season)
    for multiplicative in (False, True):
        figure = np.empty(season)
        seasonal_figure(y, season, multiplicative, figure)
        np.testing.assert_allclose(figure, twin.seasonal_figure(y, season, multiplicative), rtol=1e-12, atol=1e-12)
    assert is_seasonal(y, season) == twin.is_seasonal(y, season)


def test_the_seasonal_test_decides_as_its_twin_on_noise_and_rhythms() -> None:
    rng = np.random.default_rng(1)
    said = set()
    for trial in range(60):
        y = rng.normal(0, 1, 120) + 0.02 * (trial % 20) * np.sin(2 * np.pi * np.arange(120) / 12)
        assert is_seasonal(y, 12) == twin.is_seasonal(y, 12)
        said.add(is_seasonal(y, 12))
    assert said == {False, True}
    assert not is_seasonal(np.ones(100), 12) and not is_seasonal(daily(47), 24) and not is_seasonal(daily(99), 1)


@pytest.mark.parametrize(
    ("level", "kind"), [(70.0, MULTIPLICATIVE), (0.0, ADDITIVE)], ids=["ratios above 0", "differences"]
)
def test_the_season_is_taken_out(level: float, kind: int) -> None:
    y = daily(168, level=level, noise=0.3)
    figure, adjusted = np.empty(24), np.empty(168)
    assert adjust(y, 24, figure, adjusted) == kind
    again = adjusted * np.tile(figure, 7) if kind == MULTIPLICATIVE else adjusted + np.tile(figure, 7)
    np.testing.assert_allclose(again, y, rtol=1e-12, atol=1e-12)
    assert adjusted.std() < 0.5 * y.std()


def test_noise_stays_as_it_is() -> None:
    y = np.random.default_rng(2).normal(70, 1, 168)
    figure, adjusted = np.empty(24), np.empty(168)
    assert adjust(y, 24, figure, adjusted) == NONE
    np.testing.assert_array_equal(adjusted, y)
    assert not figure.any()
