"""What serves where the fit that should have served gave nothing; never counted as the model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.backtest.contract import Floats, Ints
from engine.backtest.serve.layout import Layout
from engine.backtest.serve.observed import Observed
from engine.backtest.serve.settings import Serving, StandIn
from engine.backtest.serve.stored import Stored
from kernels.serving import ENSEMBLE, PREVIOUS, SEASONAL, last_season, stand_in

CODES = {StandIn.PREVIOUS_GOOD: PREVIOUS, StandIn.ENSEMBLE: ENSEMBLE, StandIn.SEASONAL_NAIVE: SEASONAL}


def seasonal(observed: Observed, serving: Serving, steps: int) -> Floats:
    """(n, steps) the last observed value of each step's phase, whatever was swept; NaN = none in `seasons`."""
    out = np.empty((len(observed.origins), steps))
    season = serving.season_h
    last_season(observed.origins, observed.start, observed.values, observed.known, season, serving.seasons, out)
    return out


def fill(
    serving: Serving,
    layout: Layout,
    observed: Observed,
    stored: Stored,
    routed: Ints,
    present: NDArray[np.bool_],
    season: Floats,
    rows: Floats,
    notes: NDArray[np.int32],
) -> None:
    """Fill the rows that nobody serves, in place. present: (c, n), who may be in an ensemble."""
    order = np.array([CODES[one] for one in serving.on_failure], np.int64)
    stand_in(
        order,
        routed,
        stored.start,
        stored.values,
        stored.fit,
        stored.cutoff,
        observed.origins,
        layout.others,
        present,
        observed.usable,
        season,
        rows,
        notes,
    )
