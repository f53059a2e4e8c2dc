"""MFLES: what the library fitted, forecast from JSON."""

from __future__ import annotations

import numpy as np
import pytest

from engine.backtest.models.mfles import Mfles
from tests.engine.backtest.models import promises
from tests.engine.backtest.models.agreement import daily


@pytest.mark.parametrize("shift", [0.0, -75.0])  # with negative values there are no logarithms
def test_forecast_is_the_librarys(shift: float) -> None:
    from statsforecast.models import MFLES

    y = daily(150, seed=2) + shift
    theirs = MFLES(24).fit(y).predict(30)["mean"]
    ours = Mfles().predict(promises.learned(Mfles(), y), promises.NONE, np.zeros(2, np.int64), 30)
    np.testing.assert_allclose(ours.mean, [theirs, theirs], rtol=1e-12)
    assert ours.low is None and not Mfles().updates
