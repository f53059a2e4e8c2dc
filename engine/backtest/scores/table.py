"""The tables of scores. Sums are additive: rows of disjoint parts, whose sums give the sums of any union."""

from __future__ import annotations

import pyarrow as pa

from engine.backtest.columns import column
from engine.backtest.tables import FORECASTS
from engine.module import Table
from kernels.scores import NOBODY, SUMS
from kernels.scores import ORIGIN_SUMS as ORIGIN_NAMES

SERVERS = ("fit", "previous_good", "ensemble", "seasonal_naive", "none")
"""Who serves a row; their place here is their number in arrays. `fit` is the configuration's own model, in time."""
FIT, PREVIOUS_GOOD, ENSEMBLE, SEASONAL_NAIVE, NONE = range(NOBODY + 1)
NOT_THE_MODEL = (ENSEMBLE, SEASONAL_NAIVE, NONE)
"""What they serve is no merit of the configuration: where configurations are ranked, it is charged seasonal naive's
error there."""
CONFIGURATION = ("model", "window_h", "refit_h", "policy")

_UNIT = "unit of the vital"
_MEANINGS = {
    "n_due": ("1", "rows with an observation: what there was to forecast"),
    "n": ("1", "of these, rows with a forecast"),
    "abs_error": (_UNIT, "sum of |y - yhat|"),
    "square_error": (f"({_UNIT})2", "sum of (y - yhat)^2"),
    "error": (_UNIT, "sum of y - yhat"),
    "smape": ("%", "sum of 200 |y - yhat| / (|y| + |yhat|), 0 where both are 0"),
    "n_scaled": ("1", "rows with a forecast and a defined MASE denominator at their origin"),
    "scaled_abs": ("1", "sum of |y - yhat| / denominator"),
    "scaled_square": ("1", "sum of (y - yhat)^2 / mean squared seasonal difference up to the origin"),
    "n_baseline": ("1", "rows with an observation and a seasonal naive forecast"),
    "abs_beside": (_UNIT, "sum of |y - yhat| over the rows that the seasonal naive forecast has as well"),
    "abs_baseline": (_UNIT, "sum of |y - seasonal naive|"),
    "n_scaled_baseline": ("1", "rows with a seasonal naive forecast and a defined MASE denominator"),
    "scaled_baseline": ("1", "sum of |y - seasonal naive| / denominator"),
    "n_quantiles": ("1", "rows with a forecast and all three quantiles"),
    "abs_y": (_UNIT, "sum of |y| over the rows with quantiles"),
    "pinball10": (_UNIT, "sum of the pinball loss of q10"),
    "pinball50": (_UNIT, "sum of the pinball loss of q50"),
    "pinball90": (_UNIT, "sum of the pinball loss of q90"),
    "width": (_UNIT, "sum of q90 - q10"),
    "n_covered": ("1", "rows with q10 <= y <= q90"),
}


def _kept(name: str) -> pa.Field:
    return FORECASTS.schema.field(name)


def _sum(name: str) -> pa.Field:
    unit, meaning = _MEANINGS[name]
    return column(name, pa.int64() if name.startswith("n") else pa.float64(), unit, meaning, required=True)


_WORK = _kept("work_key")
_SUBJECT, _VITAL, _STEP, _AGE = (_kept(name) for name in ("subject_id", "vital", "step", "age_h"))
_CONFIGURATION = [_kept(name) for name in CONFIGURATION]
_PART = [
    _kept("served_by"),
    column("common", pa.bool_(), "1", "whether the origin is one of all configurations of the series", required=True),
]

_SUM_KEY = ("vital", *CONFIGURATION, "served_by", "common", "step", "age_h")
SCORE_SUMS = Table(
    schema=pa.schema([_WORK, _VITAL, *_CONFIGURATION, *_PART, _STEP, _AGE, *map(_sum, SUMS)]),
    key=("work_key", *_SUM_KEY),
    sort=_SUM_KEY,
    owner="work_key",
    nullable_key=("window_h", "age_h"),
)
"""Errors of all series of a unit of work, by step and age."""

_SERIES_KEY = ("subject_id", "vital", *CONFIGURATION, "served_by", "common")
SERIES_SCORES = Table(
    schema=pa.schema([_WORK, _SUBJECT, _VITAL, *_CONFIGURATION, *_PART, *map(_sum, SUMS)]),
    key=_SERIES_KEY,
    sort=_SERIES_KEY,
    owner="work_key",
    nullable_key=("window_h",),
)
"""Errors of each series, over all steps and ages."""

_ORIGIN_KEY = ("vital", *CONFIGURATION, "back_h")
ORIGIN_SUMS = Table(
    schema=pa.schema(
        [
            _WORK,
            _VITAL,
            *_CONFIGURATION,
            column("back_h", pa.int64(), "h", "hours from the origin to the series' last origin", required=True),
            *map(_sum, ORIGIN_NAMES),
        ]
    ),
    key=("work_key", *_ORIGIN_KEY),
    sort=_ORIGIN_KEY,
    owner="work_key",
    nullable_key=("window_h",),
)
"""Errors over all steps by distance from the end of the series, at common origins, for the Diebold-Mariano test.

A row that another model served, or none, is charged the seasonal naive error, so that failing does not pay."""

_SCORES = {
    "n_due": ("1", "rows with an observation"),
    "n": ("1", "rows with a forecast"),
    "answered": ("1", "share of rows with an observation that have a forecast"),
    "own": ("1", "share of rows with an observation that the configuration's own fit served"),
    "mae": (_UNIT, "mean |y - yhat|"),
    "rmse": (_UNIT, "root of the mean (y - yhat)^2"),
    "bias": (_UNIT, "mean y - yhat"),
    "smape": ("%", "mean 200 |y - yhat| / (|y| + |yhat|)"),
    "mase": ("1", "mean |y - yhat| / denominator"),
    "rmsse": ("1", "root of the mean (y - yhat)^2 / mean squared seasonal difference"),
    "mae_charged": (_UNIT, "as mae; a row that another model served, or none, is charged the seasonal naive error"),
    "mase_charged": ("1", "as mase; a row that another model served, or none, is charged the seasonal naive error"),
    "pinball": (_UNIT, "mean pinball loss of q10, q50 and q90"),
    "wql": ("1", "2 x summed pinball losses / sum of |y|, mean of the three quantiles"),
    "wis": (_UNIT, "weighted interval score of median and 80 % interval"),
    "interval_score": (_UNIT, "mean interval score of q10 to q90 (alpha 0.2)"),
    "covered": ("1", "share of rows with q10 <= y <= q90"),
    "width": (_UNIT, "mean q90 - q10"),
    "skill": ("1", "1 - MAE over the seasonal naive MAE of the same rows; above 0 is better than seasonal naive"),
}


def _score(name: str) -> pa.Field:
    unit, meaning = _SCORES[name]
    return column(name, pa.int64() if name in ("n_due", "n") else pa.float64(), unit, meaning)


_CELL_KEY = ("scope", "vital", *CONFIGURATION, "step", "age_h")
SCORES = Table(
    schema=pa.schema(
        [
            column("scope", pa.string(), "1", "all (vitals, steps, ages together), vital, or cell", required=True),
            column("vital", pa.string(), "1", "vital sign, with its unit; null = all"),
            *_CONFIGURATION,
            column("step", pa.int64(), "h", "hours ahead, from 1; null = all"),
            column(
                "age_h", pa.int64(), "h", "origin minus cutoff of the fit that served; of a cell, null = no fit did"
            ),
            *map(_score, _SCORES),
            column("cpu_s", pa.float64(), "s", "CPU time of all fits that the configuration needs alone; scope all"),
        ]
    ),
    key=_CELL_KEY,
    sort=_CELL_KEY,
    owner="scope",
    nullable_key=("vital", "window_h", "step", "age_h"),
)
"""Scores of each configuration: of everything, by vital, and by vital, step and age; see `summary.score_table`."""
