"""Series scores as matrices, a row for each user and a column for each configuration: what comparisons are made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.backtest.scores.skill import ratios
from engine.backtest.scores.table import CONFIGURATION, NOT_THE_MODEL, SERVERS

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Users:
    """configurations: k rows, columns `CONFIGURATION`, sorted. subjects: (u,). The others are (u, k), 0 = nothing.

    scaled, n_scaled: Σ |e| / denominator and rows of it; log_ratio, n_series: Σ log of each series' clipped ratio to
    seasonal naive, and series. A row that another model served, or none, is charged the seasonal naive error, so that
    a configuration cannot gain by failing where it is hard.
    """

    configurations: pl.DataFrame
    subjects: tuple[str, ...]
    scaled: Floats
    n_scaled: Floats
    log_ratio: Floats
    n_series: Floats

    @property
    def mase(self) -> Floats:
        """(u, k) each user's own; NaN where undefined."""
        found: Floats = np.divide(
            self.scaled, self.n_scaled, out=np.full(self.scaled.shape, np.nan), where=self.n_scaled > 0
        )
        return found


def users(series: pl.LazyFrame) -> Users:
    """From `SERIES_SCORES` rows: those of common origins, to compare configurations on the same rows."""
    is_charged = pl.col("served_by").is_in([SERVERS[server] for server in NOT_THE_MODEL])
    charged = {
        "scaled": pl.when(is_charged).then("scaled_baseline").otherwise("scaled_abs").sum(),
        "n_scaled": pl.when(is_charged).then("n_scaled_baseline").otherwise("n_scaled").sum(),
        "error": pl.when(is_charged).then("abs_baseline").otherwise("abs_beside").sum(),
        "baseline": pl.col("abs_baseline").sum(),
        "n_baseline": pl.col("n_baseline").sum(),
    }
    tasks = series.group_by("subject_id", "vital", *CONFIGURATION).agg(**charged).collect()
    tasks = tasks.sort("subject_id", "vital", *CONFIGURATION)
    configurations = tasks.select(CONFIGURATION).unique().sort(CONFIGURATION)
    subjects = tasks["subject_id"].unique().sort()
    numbered = configurations.with_row_index("column")
    column = tasks.join(numbered, on=CONFIGURATION, how="left", nulls_equal=True, maintain_order="left")["column"]
    row = subjects.search_sorted(tasks["subject_id"]).to_numpy()
    place = row * len(configurations) + column.to_numpy()
    shape = (len(subjects), len(configurations))

    def matrix(values: Floats) -> Floats:
        added: Floats = np.bincount(place, values, shape[0] * shape[1]).reshape(shape).astype(np.float64)
        return added

    logs = np.log(ratios(tasks["error"].to_numpy(), tasks["baseline"].to_numpy()))
    has_ratio = (tasks["n_baseline"].to_numpy() > 0) & np.isfinite(logs)
    return Users(
        configurations,
        tuple(subjects.to_list()),
        matrix(tasks["scaled"].to_numpy()),
        matrix(tasks["n_scaled"].cast(pl.Float64).to_numpy()),
        matrix(np.where(has_ratio, logs, 0.0)),
        matrix(has_ratio.astype(np.float64)),
    )
