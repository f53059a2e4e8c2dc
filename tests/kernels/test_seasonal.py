from __future__ import annotations

import numpy as np
import pytest

from engine.backtest.models.naive import Naive
from engine.backtest.models.seasonal_naive import SeasonalNaive
from engine.backtest.models.window_average import WindowAverage
from tests.engine.backtest.models.agreement import daily, rolling
from tests.naive import seasonal as twin


@pytest.mark.parametrize("season", [1, 5, 24])
def test_forecasts_equal_the_twins(season: int) -> None:
    y = daily(300, seed=season)
    fits = rolling(y, (24, 72), range(264, 268), steps=50)
    model = SeasonalNaive(season) if season > 1 else Naive()
    swept, averages = model.sweep(y, fits).paths, WindowAverage(season).sweep(y, fits).paths
    assert swept.low is not None and swept.high is not None and averages.low is None
    owner = np.repeat(np.arange(fits.start.size), np.diff(fits.first))
    for row, at in enumerate(fits.at):
        a, b = fits.start[owner[row]], fits.end[owner[row]]
        mean, high = twin.seasonal_naive(y[a:at].tolist(), int(b - a), season, 50)
        np.testing.assert_array_equal(swept.mean[row], mean)
        np.testing.assert_allclose(swept.high[row], high, rtol=1e-14)
        np.testing.assert_allclose(swept.mean[row] - swept.low[row], swept.high[row] - swept.mean[row], rtol=1e-9)
        np.testing.assert_allclose(averages.mean[row], twin.average(y[a:at].tolist(), season, 50), rtol=1e-14)


def test_a_slice_of_one_season_has_no_quantiles() -> None:
    y = daily(60)
    paths = SeasonalNaive().sweep(y, rolling(y, (24, 25), range(48, 49))).paths
    assert paths.low is not None and paths.high is not None
    assert np.isnan(paths.low[:13]).all() and np.isfinite(paths.high[13:]).all() and np.isfinite(paths.mean).all()
