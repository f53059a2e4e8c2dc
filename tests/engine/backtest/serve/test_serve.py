"""Serving against its definition, and what must never change it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.backtest.grid import Grid
from engine.backtest.series.hourly import HOUR_US
from engine.backtest.serve.layout import arrange
from engine.backtest.serve.observed import observe
from engine.backtest.serve.serve import Served, serve
from engine.backtest.serve.settings import Ensemble, Exclusions, Quantiles, Serving, StandIn, Weights
from engine.backtest.serve.stored import Stored, gather
from engine.backtest.serve.tables import ROW_STATUSES, SERVED_BY
from tests.engine.backtest.serve.fakes import Fake, configured, grid, run, series, troubles
from tests.naive.serving import Naive

FULL = Serving(
    ensembles=(
        Ensemble("best", weights=Weights.INVERSE_ERROR, window_h=24, least_errors=10),
        Ensemble("both", ("drift", "level"), Weights.MEAN),
        Ensemble("all"),
    ),
    exclusions=Exclusions(failures_in_row=2, rest_h=5, mase_ratio=1.2, window_h=36, least_errors=20, budget_s=0.0055),
    least_errors=9,
)


SIDES = ("mean", "low", "high")
VALUES = ("yhat", "q10", "q50", "q90")


def served(fake: Fake, swept: Grid, serving: Serving) -> tuple[Served, Stored]:
    layout = arrange(configured(swept), serving.ensembles)
    key = (fake.observed.subject_id, fake.observed.vital)
    stored = gather(fake.fits, fake.attempts, [key], layout.specs).of(0)
    return serve(fake.observed, stored, layout, serving, swept.phase_h, swept.horizon_h), stored


def naive(fake: Fake, swept: Grid, serving: Serving) -> Any:
    fits = {
        (row["model"], row["window_h"], hour(row["cutoff"])): (row["status"], row["cpu_s"])
        for row in fake.fits.to_pylist()
    }
    paths = {
        (row["model"], row["window_h"], hour(row["cutoff"]), hour(row["origin"])): tuple(row[side] for side in SIDES)
        for row in fake.attempts.to_pylist()
    }
    twin = Naive(fake.observed, fits, paths, configured(swept), serving, swept.phase_h, swept.horizon_h)
    return twin.rows()


def hour(when: Any) -> int:
    return round(when.timestamp() * 1e6) // HOUR_US


def compare(found: Served, stored: Stored, wanted: Any, fake: Fake, swept: Grid, serving: Serving) -> None:
    layout = arrange(configured(swept), serving.ensembles)
    for c, conf in enumerate(layout.configurations):
        for i, origin in enumerate(fake.observed.origins.tolist()):
            for j in range(swept.horizon_h):
                row = wanted[conf, origin, j + 1]
                where = (conf, origin - int(fake.observed.origins[0]), j, row)
                assert SERVED_BY[found.served_by[c, i, j]] == row["served_by"], where
                assert ROW_STATUSES[found.status[c, i, j]] == row["status"], where
                assert found.age_h[c, i, j] == (-1 if row["age"] is None else row["age"]), where
                fit = found.fit[c, i, j]
                assert (None if fit < 0 else int(stored.cutoff[fit])) == row["fit"], where
                got = [float(getattr(found, name)[c, i, j]) for name in VALUES]
                assert got == pytest.approx([row[name] for name in VALUES], rel=1e-9, nan_ok=True), where


@pytest.mark.parametrize(
    ("changes", "serving"),
    [
        ({}, FULL),
        ({"refits_h": (2, 24), "every_h": 3, "phase_h": 5}, replace(FULL, quantiles=Quantiles.CONFORMAL)),
        ({"refits_h": (4,)}, Serving(on_failure=(StandIn.SEASONAL_NAIVE,), exclusions=Exclusions(0, mase_ratio=None))),
        ({"refits_h": (6,)}, Serving(on_failure=(), quantiles=Quantiles.MODEL)),
    ],
    ids=["full", "sparse", "seasonal", "nothing"],
)
def test_equals_the_naive_twin(changes: dict[str, Any], serving: Serving) -> None:
    swept = grid(**{"evaluate_h": 60, "horizon_h": 4, **changes})
    one = series(180, seed=1)
    fake = run(one, swept, troubles(swept, observe(one, swept).origins.tolist(), seed=1))
    found, stored = served(fake, swept, serving)
    compare(found, stored, naive(fake, swept, serving), fake, swept, serving)
