"""What it costs not to refit: errors by age against those of a configuration that is refitted more often.

Cutoffs lie on the wall clock, so age is a time of day as well, and a curve over ages shows how hard each hour is. Here
both configurations are compared on the same rows.
"""

from __future__ import annotations

import polars as pl

from engine.backtest.scores.table import CONFIGURATION

ROW = ("subject_id", "vital", "origin", "step")


def pairs_of(board: pl.DataFrame) -> pl.DataFrame:
    """Each model's best configuration with the longest refit, and the same with the shortest: columns `CONFIGURATION`
    and fresh_h. None where there is one refit only, or the model has no such twin."""
    refit, longest, shortest = pl.col("refit_h"), pl.col("refit_h").max(), pl.col("refit_h").min()
    names = ["model", "window_h", "policy"]
    fresh = board.filter(refit == shortest).select(*names, fresh_h="refit_h")
    best = board.filter(refit == longest, longest > shortest).select(CONFIGURATION)
    return best.join(fresh, on=names, nulls_equal=True, maintain_order="left").unique(
        "model", keep="first", maintain_order=True
    )


def aging(forecasts: pl.LazyFrame, chosen: pl.DataFrame) -> pl.DataFrame:
    """Columns model, age_h, n, ratio: MAE over that of the often refitted twin on the same rows, mean over vitals.

    forecasts: rows of `FORECASTS`; only those that both served by their own fit count. chosen: see `pairs_of`.
    """
    own = forecasts.filter(pl.col("served_by") == "fit", pl.col("y").is_not_null())
    errors = own.select(*ROW, *CONFIGURATION, "age_h", error=(pl.col("y") - pl.col("yhat")).abs())
    stale = errors.join(chosen.lazy(), on=CONFIGURATION, nulls_equal=True)
    twins = chosen.select("model", "window_h", "policy", refit_h="fresh_h").lazy()
    fresh = errors.join(twins, on=CONFIGURATION, nulls_equal=True).drop("age_h", "refit_h")
    both = stale.join(fresh, on=[*ROW, "model", "window_h", "policy"], nulls_equal=True, suffix="_fresh")
    by_vital = both.group_by("model", "vital", "age_h").agg(
        n=pl.len(), ratio=pl.col("error").sum() / pl.col("error_fresh").sum()
    )
    known = by_vital.filter(pl.col("ratio").is_finite())
    return (
        known.group_by("model", "age_h").agg(pl.col("n").sum(), pl.col("ratio").mean()).sort("model", "age_h").collect()
    )
