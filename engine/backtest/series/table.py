"""The table `series`: what each series holds, and every correction on the way to it."""

from __future__ import annotations

import pyarrow as pa

from engine.backtest.columns import column
from engine.module import Table
from engine.schemas import TIME

_VALUE = "unit of the vital"

SERIES = Table(
    schema=pa.schema(
        [
            column("work_key", pa.string(), "1", "unit of work that wrote the row", required=True),
            column("subject_id", pa.string(), "1", "subject", required=True),
            column("vital", pa.string(), "1", "vital sign, with its unit", required=True),
            column("data_hash", pa.string(), "1", "SHA-256 of the hours, and of the readings with their arrivals"),
            column("data_start", TIME, "1", "first observed hour; null where none is"),
            column("data_end", TIME, "1", "last observed hour; null where none is"),
            column("n_hours", pa.int64(), "h", "hours from the first row's to the last's, a missing value's included"),
            column("n_observed", pa.int64(), "h", "hours with a plausible reading"),
            column(
                "n_interpolated", pa.int64(), "h", "hours on a line across a gap of at most 3 hours (temperature: 6)"
            ),
            column("n_profiled", pa.int64(), "h", "hours with the median of their hour of day over the 7 days before"),
            column("n_levelled", pa.int64(), "h", "the same where no such hour was observed: the median of those days"),
            column("n_segments", pa.int64(), "1", "stretches that no gap of more than 24 hours cuts"),
            column("longest_gap_h", pa.int64(), "h", "longest run of unobserved hours between observed ones"),
            column("mean_gap_s", pa.float64(), "s", "mean time between observed hours", minimum="2 hours"),
            column("y_min", pa.float64(), _VALUE, "least observed hour"),
            column("y_max", pa.float64(), _VALUE, "largest observed hour"),
            column("y_mean", pa.float64(), _VALUE, "mean of the observed hours"),
            column("y_median", pa.float64(), _VALUE, "median of the observed hours"),
            column("y_sd", pa.float64(), _VALUE, "standard deviation of the observed hours (n - 1)", minimum="2 hours"),
            column("n_readings", pa.int64(), "1", "rows read, a missing value's included"),
            column("n_missing", pa.int64(), "1", "readings without a value; exactly zero where the vital has limits"),
            column("n_duplicates", pa.int64(), "1", "readings dropped: same instant and value as another"),
            column("n_converted", pa.int64(), "1", "readings kept that were Fahrenheit or Kelvin"),
            column("n_implausible", pa.int64(), "1", "readings dropped: out of the vital's range"),
            column("n_pressure", pa.int64(), "1", "readings dropped: systolic and diastolic less than 10 mmHg apart"),
            column("n_rate", pa.int64(), "1", "readings dropped: changed faster than the vital can"),
            column("n_stuck", pa.int64(), "h", "hours dropped: the 24th and later of equal consecutive ones"),
            column("has_limits", pa.bool_(), "1", "whether the vital has limits of plausibility", required=True),
            column("has_arrivals", pa.bool_(), "1", "whether some reading arrived after its hour's end", required=True),
        ]
    ),
    key=("subject_id", "vital"),
    sort=("subject_id", "vital"),
    owner="work_key",
)
