"""Quantiles from a configuration's own earlier errors of the same step, as far as they are known at the origin."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.backtest.contract import Floats, Ints
from engine.backtest.serve.settings import Quantiles
from kernels.past_errors import error_quantiles


def offsets(errors: Floats, known_from: Ints, least: int) -> Floats:
    """(3, c, n, steps) what to add to a forecast for its 10, 50 and 90 % quantile; NaN = fewer than `least` errors.

    errors: (c, n, steps) of rows that the configuration itself served, NaN = none; known_from: (n, steps).
    """
    bins = np.ascontiguousarray(known_from.T)
    order = np.argsort(bins, axis=1, kind="stable")
    by_step = np.ascontiguousarray(errors.transpose(0, 2, 1))
    out = np.empty((3, *errors.shape))
    # Sorted here, not in the kernel: NumPy's vector sort takes a fifth of the time.
    error_quantiles(by_step, np.argsort(by_step, axis=2), order, bins, least, out)
    return out


def quantiles(how: Quantiles, rows: Floats, served_by_fit: NDArray[np.bool_], learned: Floats | None) -> Floats:
    """(3, c, n, steps) q10, q50, q90. rows: (3, c, n, steps) forecast and the model's own 10 and 90 % quantile;
    served_by_fit: (c, n, steps), a fit's forecast; learned: `offsets`. NaN = none: others' errors say nothing here."""
    own = np.stack([rows[1], np.where(np.isnan(rows[1]), np.nan, rows[0]), rows[2]])
    if learned is None or how is Quantiles.MODEL:
        return own
    ours = np.where(served_by_fit, rows[0] + learned, np.nan)
    return ours if how is Quantiles.CONFORMAL else np.where(np.isnan(ours), own, ours)
