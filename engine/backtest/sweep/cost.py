"""What a fit costs before it is made: from a table measured once, or from a pilot on the data at hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.backtest.contract import COLD, Floats, Ints

WINDOW_H = 168
"""Length of the slices that the table is for."""


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU ms of choosing a form, of a cold fit and of one started from an anchor, each on 168 hours; they grow with the
    slice's length to the `power`. forecast_ms: one forecast of 24 steps with its share of the state pass."""

    select_ms: float
    cold_ms: float
    warm_ms: float
    power: float = 1.0
    forecast_ms: float = 0.002


TABLE: Mapping[str, Cost] = {
    "seasonal_naive": Cost(0, 0.0012, 0.0012, 0.0, 0.008),
    "naive": Cost(0, 0.0011, 0.0011, 0.0, 0.008),
    "window_average": Cost(0, 0.0008, 0.0008, 0.0, 0.008),
    "theta": Cost(0, 0.008, 0.0072, 0.9, 0.008),
    "auto_theta": Cost(0.028, 0.008, 0.0072, 0.9, 0.008),
    "dynamic_optimized_theta": Cost(0, 0.0087, 0.007, 0.9, 0.008),
    "ets": Cost(0, 0.11, 0.023, 0.7, 0.008),
    "auto_ets": Cost(0.38, 0.093, 0.02, 0.7, 0.008),
    "holt_winters": Cost(0, 0.044, 0.017, 0.4, 0.008),
    "arima": Cost(0, 2.9, 0.35, 0.9, 0.1),
    "auto_arima": Cost(195, 5.0, 1.0, 2.1, 0.1),
    "tbats": Cost(50, 12, 12, 1.0, 0.1),
    "auto_tbats": Cost(200, 12, 12, 1.2, 0.1),
    "stl_naive": Cost(0, 0.023, 0.023, 0.5, 0.008),
    "stl_drift": Cost(0, 0.024, 0.024, 0.6, 0.008),
    "stlm_ets": Cost(0.21, 0.07, 0.033, 0.7, 0.008),
    "stlm_arima": Cost(4.3, 0.34, 0.13, 0.55, 0.05),
    "ces": Cost(4.5, 1.5, 1.5, 0.5, 0.03),
    "mfles": Cost(0, 2.2, 2.2, 0.2, 0.01),
    "regressor": Cost(0, 0.9, 0.9, 0.1, 0.35),
}
"""By built-in name. Measured with `sweep.pilot.measure` on slices of 72, 168 and 336 h of M4's H1, H16 and H31 at 200
evaluations, on one shared core of an x86-64 virtual machine; of models that sweep, less what a single call costs and
with their rows in the tables (benchmarks/backtest_cost.py). Warm fits of holt_winters are of such sweeps, since one
from an anchor an hour away takes twice as long as one from its own slice, and hardly less on 72 h than on 168 h. Other
machines differ by a factor that a pilot tells."""

UNKNOWN = Cost(100, 20, 20)
"""Of a model that is not in the table: a guess."""


def cost_of(reference: str, built_in: Mapping[str, str]) -> tuple[Cost, bool]:
    """The cost of the model that a resolved reference names, and whether it is more than a guess."""
    for name, known in built_in.items():
        if known == reference and name in TABLE:
            return TABLE[name], True
    return UNKNOWN, False


def seconds(cost: Cost, hours: Ints, cold: NDArray[np.bool_], chooses: NDArray[np.bool_], forecasts: Ints) -> Floats:
    """Predicted CPU seconds of fits, (k,) each: hours of the slice, whether it starts cold and chooses its form, and
    the number of its forecasts."""
    fit_ms = np.where(cold, cost.cold_ms, cost.warm_ms) + np.where(chooses, cost.select_ms, 0.0)
    scale = (hours / WINDOW_H) ** cost.power
    return np.asarray((fit_ms * scale + cost.forecast_ms * forecasts) / 1000)


def row_costs(cost: Cost, hours: Ints, anchor: Ints, chosen: Ints, forecasts: Ints) -> Floats:
    """`seconds` of the fits of a batch, with its links as in `contract.Fits`."""
    return seconds(cost, hours, anchor == COLD, chosen == np.arange(chosen.size), forecasts)
