"""Whether forecasts err more than they used to: the two newest weeks against the weeks before."""

from __future__ import annotations

import polars as pl

from engine.backtest.scores.table import CONFIGURATION

WEEK_H = 168
BY = ["vital", *CONFIGURATION]
NEWEST = 2
LEAST = 8
"""Weeks before the two newest ones."""
MAD_TO_SD, WIDTH = 1.4826, 3.0


def by_week(origins: pl.LazyFrame) -> pl.LazyFrame:
    """`mase` of each vital, configuration and `week`, 0 = the newest."""
    mase = pl.col("scaled_abs").sum() / pl.col("n_scaled").sum()
    weekly = origins.group_by(*BY, week=pl.col("back_h") // WEEK_H).agg(mase=mase)
    return weekly.filter(pl.col("mase").is_finite())


def weeks(origins: pl.LazyFrame) -> pl.DataFrame:
    """One row a vital and configuration, the worst first: weeks, usual, limit, before, now, alarm.

    origins: rows of `ORIGIN_SUMS`; a week is 7 days back from each series' last origin, an unfinished oldest one
    included. now, before: MASE of the newest week and of the one before, a row that another model served being charged
    seasonal naive's error. usual: median of the `weeks` weeks before these; limit: 3 robust standard deviations above
    it, null with fewer than `LEAST` weeks. alarm: both are above the limit.
    """
    earlier = pl.col("mase").filter(pl.col("week") >= NEWEST)
    spread = MAD_TO_SD * (earlier - earlier.median()).abs().median()
    now, before = (pl.col("mase").filter(pl.col("week") == back).first() for back in range(NEWEST))
    found = (
        by_week(origins)
        .group_by(BY)
        .agg(weeks=earlier.len().cast(pl.Int64), usual=earlier.median(), spread=spread, now=now, before=before)
    )
    limit = pl.when(pl.col("weeks") >= LEAST, pl.col("spread") > 0).then(pl.col("usual") + WIDTH * pl.col("spread"))
    told = found.with_columns(limit=limit).with_columns(
        alarm=(pl.min_horizontal("now", "before") > pl.col("limit")).fill_null(False)
    )
    over = pl.col("now") / pl.col("limit")
    columns = [*BY, "weeks", "usual", "limit", "before", "now", "alarm"]
    return told.sort(~pl.col("alarm"), -over, *BY, nulls_last=True).select(columns).collect()
