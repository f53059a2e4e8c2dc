"""Sums of forecast errors, one pass over all rows of one series and one configuration.

Every term is first rounded to a multiple of 2⁻²⁴, so that sums below 2²⁹ are exact: the same whatever the order, and
however the series were divided among units of work.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from kernels.arrays import Flags, Floats, Ints

SUMS = (
    "n_due",
    "n",
    "abs_error",
    "square_error",
    "error",
    "smape",
    "n_scaled",
    "scaled_abs",
    "scaled_square",
    "n_baseline",
    "abs_beside",
    "abs_baseline",
    "n_scaled_baseline",
    "scaled_baseline",
    "n_quantiles",
    "abs_y",
    "pinball10",
    "pinball50",
    "pinball90",
    "width",
    "n_covered",
)
"""What `add_scores` adds up, in its last axis; engine/backtest/scores/table.py says what each means."""

DUE, N, ABS, SQUARE, SIGNED, SMAPE, N_SCALED, SCALED_ABS, SCALED_SQUARE = range(9)
N_BASE, ABS_BESIDE, ABS_BASE, N_SCALED_BASE, SCALED_BASE = range(9, 14)
N_QUANTILES, ABS_Y, PIN10, PIN50, PIN90, WIDTH, COVERED = range(14, 21)
ORIGIN_SUMS = ("n", "abs_error", "n_scaled", "scaled_abs")
"""The last axis of `by_origin`. A row that nobody or a stand-in served is charged the baseline's error here."""
NOBODY = 4
"""Who serves a row without a forecast; the others are 0 … 3."""
FINE = 2.0**24
Codes = NDArray[np.int32]


@njit("f8(f8)", cache=True, inline="always")
def on_grid(x: float) -> float:
    """The nearest multiple of 2⁻²⁴, ties to even."""
    return np.rint(x * FINE) / FINE


@njit("void(f8[::1], f8, f8, b1)", cache=True)
def _add_baseline(cell: Floats, beside: float, per: float, scaled: bool) -> None:
    """The baseline's error of one row."""
    cell[N_BASE] += 1.0
    cell[ABS_BASE] += on_grid(beside)
    cell[N_SCALED_BASE] += 1.0 if scaled else 0.0
    cell[SCALED_BASE] += on_grid(beside * per)


@njit("void(f8[::1], f8, f8, b1)", cache=True)
def _charge(origin: Floats, charged: float, per: float, scaled: bool) -> None:
    """What one row costs whoever asked for it."""
    origin[0] += 1.0
    origin[1] += on_grid(charged)
    origin[2] += 1.0 if scaled else 0.0
    origin[3] += on_grid(charged * per)


@njit("void(f8[::1], f8, f8, f8, f8, b1)", cache=True)
def _add_error(cell: Floats, y: float, yhat: float, per: float, per_square: float, scaled: bool) -> None:
    """The forecast's error of one row."""
    e = y - yhat
    loss = abs(e)
    cell[N] += 1.0
    cell[ABS] += on_grid(loss)
    cell[SQUARE] += on_grid(e * e)
    cell[SIGNED] += on_grid(e)
    if loss > 0.0:
        cell[SMAPE] += on_grid(200.0 * loss / (abs(y) + abs(yhat)))
    if scaled:
        cell[N_SCALED] += 1.0
        cell[SCALED_ABS] += on_grid(loss * per)
        cell[SCALED_SQUARE] += on_grid(e * e * per_square)


@njit("void(f8[::1], f8, f8, f8, f8)", cache=True)
def _add_quantiles(cell: Floats, y: float, q10: float, q50: float, q90: float) -> None:
    """Pinball losses, width and coverage of one row."""
    cell[N_QUANTILES] += 1.0
    cell[ABS_Y] += on_grid(abs(y))
    cell[PIN10] += on_grid(max(0.1 * (y - q10), -0.9 * (y - q10)))
    cell[PIN50] += on_grid(0.5 * abs(y - q50))
    cell[PIN90] += on_grid(max(0.9 * (y - q90), -0.1 * (y - q90)))
    cell[WIDTH] += on_grid(q90 - q10)
    if q10 <= y <= q90:
        cell[COVERED] += 1.0


@njit("i8(i4, f8, b1)", cache=True, inline="always")
def _group(served: int, yhat: float, common: bool) -> int:
    return 2 * (NOBODY if np.isnan(yhat) else served) + int(common)


@njit("i8(f8[:,::1], i4[:,::1], i4[:,::1], b1[::1], b1[::1])", cache=True)
def find_groups(yhat: Floats, served: Codes, age: Codes, common: Flags, present: Flags) -> int:
    """Mark the groups that rows belong to, 2 · served + common; returns the greatest age of rows with a forecast, −1 if
    none. yhat, served, age: (origins, steps); a row without yhat is served by NOBODY. common: (origins,)."""
    oldest = -1
    for o in range(yhat.shape[0]):
        for j in range(yhat.shape[1]):
            present[_group(served[o, j], yhat[o, j], common[o])] = True
            if not np.isnan(yhat[o, j]):
                oldest = max(oldest, age[o, j])
    return oldest


@njit(
    "void(f8[:,:,:,::1], f8[:,::1], f8[:,::1], f8[:,::1], f8[:,::1], f8[:,::1], f8[:,::1], f8[:,::1],"
    " i4[:,::1], i4[:,::1], b1[::1], i8[::1], b1[::1], f8[::1], f8[::1])",
    cache=True,
)
def add_scores(
    cells: Floats,
    by_origin: Floats,
    y: Floats,
    yhat: Floats,
    q10: Floats,
    q50: Floats,
    q90: Floats,
    baseline: Floats,
    served: Codes,
    age: Codes,
    common: Flags,
    slot: Ints,
    stands_in: Flags,
    scale: Floats,
    scale_square: Floats,
) -> None:
    """Add each row with an observed y to cells[slot[group], age + 1, step] and to by_origin[origin].

    cells: (slots, ages + 1, steps, len(SUMS)) and by_origin: (origins, len(ORIGIN_SUMS)), both added to. y … baseline:
    (origins, steps), NaN = missing; quantiles count where all three and yhat are there. served, age, common: as in
    `find_groups`; age −1 = none. slot: (groups,), −1 = leave the row out. stands_in: (groups,), another model served.
    scale, scale_square: (origins,) mean |y_t − y_{t−m}| and its square's mean up to the origin; NaN or 0 = undefined.
    """
    for o in range(y.shape[0]):
        scaled = scale[o] > 0.0 and scale_square[o] > 0.0
        per, per_square = (1.0 / scale[o], 1.0 / scale_square[o]) if scaled else (0.0, 0.0)
        for j in range(y.shape[1]):
            actual, f = y[o, j], yhat[o, j]
            group = _group(served[o, j], f, common[o])
            if np.isnan(actual) or slot[group] < 0:
                continue
            cell = cells[slot[group], 0 if np.isnan(f) else age[o, j] + 1, j]
            cell[DUE] += 1.0
            beside = abs(actual - baseline[o, j])
            if not np.isnan(beside):
                _add_baseline(cell, beside, per, scaled)
            charged = beside if np.isnan(f) or stands_in[group] else abs(actual - f)
            if not np.isnan(charged):
                _charge(by_origin[o], charged, per, scaled)
            if np.isnan(f):
                continue
            _add_error(cell, actual, f, per, per_square, scaled)
            if not np.isnan(beside):
                cell[ABS_BESIDE] += on_grid(abs(actual - f))
            if not np.isnan(q10[o, j] + q50[o, j] + q90[o, j]):
                _add_quantiles(cell, actual, q10[o, j], q50[o, j], q90[o, j])
