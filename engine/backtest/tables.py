"""The tables of a backtest. Two steps write them: fits (`fits`, `attempts`), then serving (all others)."""

from __future__ import annotations

import pyarrow as pa

from engine.backtest.columns import column
from engine.module import Table
from engine.schemas import TIME

_PATH = pa.list_(pa.float64())
_SERIES = [
    column("work_key", pa.string(), "1", "unit of work that wrote the row", required=True),
    column("subject_id", pa.string(), "1", "subject", required=True),
    column("vital", pa.string(), "1", "vital sign, with its unit", required=True),
]
_CONFIGURATION = [
    column("model", pa.string(), "1", "forecasting model", required=True),
    column("window_h", pa.int64(), "h", "training window; null = expanding from the start of the series"),
]
_SERVING = [
    *_CONFIGURATION,
    column("refit_h", pa.int64(), "h", "hours between two fits", required=True),
    column(
        "policy", pa.string(), "1", "between two fits: update (states filtered) or stale (old forecast)", required=True
    ),
]

FITS = Table(
    schema=pa.schema(
        [
            *_SERIES,
            column("fit_id", pa.string(), "1", "hash of all that the fit depends on", required=True),
            *_CONFIGURATION,
            column("cutoff", TIME, "1", "end of the training slice", required=True),
            column("train_start", TIME, "1", "start of the training slice", required=True),
            column("role", pa.string(), "1", "asked (a configuration uses it), anchor or select (only other fits do)"),
            column("form", pa.string(), "1", "form or order; empty where the model has one only"),
            column("select_cutoff", TIME, "1", "cutoff of the fit that chose the form; null where nothing was chosen"),
            column("n_obs", pa.int64(), "1", "observed hours of the slice"),
            column("n_missing", pa.int64(), "1", "hours of the slice that were missing and filled"),
            column("data_start", TIME, "1", "first observed hour of the slice"),
            column("data_end", TIME, "1", "last observed hour of the slice"),
            column("y_min", pa.float64(), "unit of the vital", "least value of the slice"),
            column("y_max", pa.float64(), "unit of the vital", "largest value of the slice"),
            column("y_mean", pa.float64(), "unit of the vital", "mean of the slice"),
            column("y_sd", pa.float64(), "unit of the vital", "standard deviation of the slice (n - 1)"),
            column("mean_gap_s", pa.float64(), "s", "mean time between observed hours"),
            column("params_json", pa.string(), "1", "fitted parameters; engine.backtest.reload uses them again"),
            column(
                "params_dropped", pa.bool_(), "1", "true where `nightmill gc --params-days` took stored parameters away"
            ),
            column("data_hash", pa.string(), "1", "SHA-256 of the as-of slice"),
            column("cpu_s", pa.float64(), "s", "CPU time of the fit and its forecasts"),
            column("wall_s", pa.float64(), "s", "wall time of the same"),
            column("n_eval", pa.int64(), "1", "evaluations of the objective function"),
            column("start", pa.string(), "1", "where the optimiser began: cold or anchor"),
            column(
                "status",
                pa.string(),
                "1",
                "ok, too_short, constant, timeout_soft, timeout_hard, error, nonfinite or quarantined",
                required=True,
            ),
            column("error_class", pa.string(), "1", "class of the exception, or the signal"),
            column("error_message", pa.string(), "1", "one sentence"),
        ]
    ),
    key=("subject_id", "vital", "model", "window_h", "cutoff"),
    sort=("subject_id", "vital", "model", "window_h", "cutoff"),
    owner="work_key",
    nullable_key=("window_h",),
)
"""One row an attempted fit, whatever came of it. cpu_s and wall_s are run-time columns."""

ATTEMPTS = Table(
    schema=pa.schema(
        [
            *_SERIES,
            column("fit_id", pa.string(), "1", "fit that made the forecast", required=True),
            *_CONFIGURATION,
            column("cutoff", TIME, "1", "end of the fit's training slice", required=True),
            column("origin", TIME, "1", "instant up to which the forecast knows anything", required=True),
            column("lead_h", pa.int64(), "h", "hours between the newest observation and the origin", required=True),
            column("mean", _PATH, "unit of the vital", "forecast of the 1st, 2nd, … hour after the origin"),
            column("low", _PATH, "unit of the vital", "its 10 % quantile; null where the model has none"),
            column("high", _PATH, "unit of the vital", "its 90 % quantile; null where the model has none"),
        ]
    ),
    key=("subject_id", "vital", "model", "window_h", "cutoff", "origin"),
    sort=("subject_id", "vital", "model", "window_h", "cutoff", "origin"),
    owner="work_key",
    nullable_key=("window_h",),
)
"""What each good fit forecast, shared by all configurations: everything later is made of these, without refitting.

A fit's forecast at its own cutoff is long enough for the policy `stale` where the grid has it."""

FORECASTS = Table(
    schema=pa.schema(
        [
            *_SERIES,
            column("fit_id", pa.string(), "1", "fit that served the row; null where none did"),
            *_SERVING,
            column("origin", TIME, "1", "instant up to which the forecast knows anything", required=True),
            column("step", pa.int64(), "h", "hours ahead, from 1", required=True),
            column("ts", TIME, "1", "start of the hour that is forecast", required=True),
            column("yhat", pa.float64(), "unit of the vital", "forecast; null where nothing served"),
            column("q10", pa.float64(), "unit of the vital", "10 % quantile"),
            column("q50", pa.float64(), "unit of the vital", "median"),
            column("q90", pa.float64(), "unit of the vital", "90 % quantile"),
            column("y", pa.float64(), "unit of the vital", "what was observed; null where nothing was"),
            column("age_h", pa.int64(), "h", "origin minus cutoff of the fit that served"),
            column(
                "served_by",
                pa.string(),
                "1",
                "fit (the configuration itself, also where it is an ensemble), or what stood in: previous_good, "
                "ensemble, seasonal_naive, none",
                required=True,
            ),
            column(
                "status",
                pa.string(),
                "1",
                "ok, implausible, or why it is not so: the status of the origin or of the fit that should have served, "
                "not_stored, or no_members of an ensemble",
                required=True,
            ),
        ]
    ),
    key=("subject_id", "vital", "model", "window_h", "refit_h", "policy", "origin", "step"),
    sort=("subject_id", "vital", "model", "window_h", "refit_h", "policy", "origin", "step"),
    owner="work_key",
    nullable_key=("window_h",),
)

ORIGINS = Table(
    schema=pa.schema(
        [
            *_SERIES,
            column("origin", TIME, "1", "instant of the forecast", required=True),
            column("n_recent", pa.int64(), "1", "observed hours among the last 48", required=True),
            column("status", pa.string(), "1", "ok, skipped_missing, no_history or stale_data", required=True),
        ]
    ),
    key=("subject_id", "vital", "origin"),
    sort=("subject_id", "vital", "origin"),
    owner="work_key",
)
