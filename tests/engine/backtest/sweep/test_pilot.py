"""The pilot measures what models cost, and passes over what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

from engine.backtest.contract import FitError, Fitted, Floats, Ints, Params, Paths
from engine.backtest.grid import Grid
from engine.backtest.models.registry import load_model
from engine.backtest.sweep.pilot import fly, measure
from tests.engine.backtest.sweep.grids import MODELS, Traits, series


def days(n: int) -> Floats:
    return 70 + 5 * np.sin(np.arange(24.0 * n) / 4)


class Slow(Traits):
    """Fits of 24 hours or more, with work to measure; a form to choose."""

    def select(self, y: Floats, evaluations: int) -> str:
        return "form"

    def fit(self, y: Floats, form: str, warm: Params | None, evaluations: int) -> Fitted:
        assert form == "form"
        if y.size < 24:
            raise FitError("too short")
        for _ in range(5):
            np.linalg.svd(np.outer(y, y))
        return Fitted({})

    def predict(self, params: Params, after: Floats, at: Ints, steps: int) -> Paths:
        return Paths(np.zeros((at.size, steps)))


def test_a_cost_is_measured_where_the_model_fits() -> None:
    measured = measure(Slow(selects=True), [days(1)[:12], days(1), days(3), np.full(48, 70.0)], 24, 10, repeats=1)
    assert measured.cold_ms > 0 and 0 <= measured.power <= 3
    with pytest.raises(FitError, match="fits none"):
        measure(Slow(selects=True), [days(1)[:12]], 24, 10)


def test_a_compiled_model_is_measured_in_batches() -> None:
    measured = measure(load_model("seasonal_naive", {}), [days(3), days(7)], 24, 10)
    assert 0 < measured.cold_ms < 10 and measured.select_ms == 0


def test_models_that_refuse_are_left_out() -> None:
    grid = Grid(MODELS, (24, None), evaluate_h=48)
    lines = [series(480_000, days(8), grid)[1]]
    found = fly({"slow": Slow(selects=True), "long": Traits(shortest=10_000)}, lines, grid)
    assert found.keys() == {"slow"}
    assert fly({"slow": Slow(selects=True)}, [], grid) == {}
