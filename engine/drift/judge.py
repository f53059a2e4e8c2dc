"""From measures to alarms: what is certain after correction, large enough, and seen twice."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from engine.drift.measures import ACT, CORRECTED, LIMITS, STABLE, WATCH, level
from kernels.holm import holm

MEASURES: dict[str, Any] = {
    "by": pl.String,
    "group": pl.String,
    "kind": pl.String,
    "what": pl.String,
    "window_d": pl.Int64,
    "back": pl.Int64,
    "test": pl.String,
    "n_reference": pl.Int64,
    "n": pl.Int64,
    "missing": pl.Float64,
    "reference": pl.Float64,
    "now": pl.Float64,
    "statistic": pl.Float64,
    "p": pl.Float64,
    "changed_at": pl.Date,
}
"""What is measured. back: 0 = the newest window of its length, 1 = the one before. changed_at: the day on which a
detector that goes day by day told a change; such rows have no window."""
SUBJECT = ["by", "group", "kind", "what"]


def judge(measures: pl.DataFrame) -> pl.DataFrame:
    """Of the newest windows, the worst first: `MEASURES` but back. p: after Holm, over all columns and groups of a
    window. level: stable, watch or act. before: level of the window before, null = not tested.

    Alarm: the same test acts in two windows one after the other, or two tests of the same thing act.
    """
    judged = _corrected(measures)
    levels = [level(*row) for row in judged.select("test", "statistic", pl.col("p").fill_null(np.nan)).iter_rows()]
    judged = judged.with_columns(level=pl.Series(levels, dtype=pl.String))
    one = [*SUBJECT, "window_d", "test"]
    earlier = judged.filter(pl.col("back") == 1).select(*one, before="level")
    found = judged.filter(pl.col("back") == 0).drop("back")
    found = found.join(earlier, on=one, how="left", nulls_equal=True, maintain_order="left")
    acts = pl.col("level") == ACT
    twice = (acts & pl.col("before").eq_missing(ACT)).any().over(SUBJECT)
    agreeing = pl.col("test").filter(acts).n_unique().over(SUBJECT) > 1
    found = found.with_columns(alarm=acts & (twice | agreeing))
    return _worst_first(found)


def _corrected(measures: pl.DataFrame) -> pl.DataFrame:
    """Holm's p over each window."""
    numbered = measures.with_row_index("row")
    p = numbered["p"].fill_null(np.nan).to_numpy().copy()
    for family in numbered.filter(pl.col("test").is_in(CORRECTED)).partition_by("window_d", "back"):
        rows = family["row"].to_numpy()
        p[rows] = holm(p[rows])
    return measures.with_columns(p=pl.Series(p).fill_nan(None))


def _worst_first(found: pl.DataFrame) -> pl.DataFrame:
    gravity = pl.col("level").replace_strict({ACT: 0, WATCH: 1, STABLE: 2}, return_dtype=pl.Int8)
    limit = pl.col("test").replace_strict({test: act for test, (_, act) in LIMITS.items()}, return_dtype=pl.Float64)
    size = pl.when(limit > 0).then(pl.col("statistic") / limit).otherwise(0)
    return found.sort(~pl.col("alarm"), gravity, -size, *SUBJECT, "window_d", "test", maintain_order=True)
