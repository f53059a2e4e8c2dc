"""Sums to scores, by any columns: sums of disjoint rows are added, then divided once."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from engine.backtest.scores.cost import FIT_KEY
from engine.backtest.scores.table import CONFIGURATION, FIT, NONE, NOT_THE_MODEL, SCORES, SERVERS
from kernels.scores import SUMS

BY_CELL = ("vital", *CONFIGURATION, "step", "age_h")
_IS_OWN = pl.col("served_by") == SERVERS[FIT]
_UNANSWERED = pl.col("served_by") == SERVERS[NONE]
_CHARGED = pl.col("served_by").is_in([SERVERS[server] for server in NOT_THE_MODEL])


def scores(sums: pl.LazyFrame, by: Sequence[str] = BY_CELL) -> pl.DataFrame:
    """`SCORE_SUMS` or `SERIES_SCORES` rows as scores (their columns in `table.SCORES`), one row for each value of `by`.

    All rows given count, whoever served them: filter `served_by` and `common` first for less. Errors of several
    vitals have no common unit: mae and the like are null where `by` has no vital and the rows have several.
    """
    extra = [
        pl.col("n_due").filter(_IS_OWN).sum().alias("n_own"),
        *(
            pl.when(_CHARGED).then(baseline).otherwise(own).sum().alias(f"{own}_charged")
            for own, baseline in (
                ("n", "n_baseline"),
                ("abs_error", "abs_baseline"),
                ("n_scaled", "n_scaled_baseline"),
                ("scaled_abs", "scaled_baseline"),
            )
        ),
        pl.col("abs_baseline").filter(~_UNANSWERED).sum().alias("abs_baseline_answered"),
        pl.col("vital").n_unique().alias("n_vitals"),
    ]
    added = sums.group_by(list(by)).agg(*(pl.col(name).sum() for name in SUMS), *extra)
    return added.select(*by, *_scores()).sort(list(by), nulls_last=False).collect()


def score_table(sums: pl.LazyFrame, cpu: pl.DataFrame | None = None) -> pl.DataFrame:
    """The table `scores`: columns of `table.SCORES`, out of `SCORE_SUMS` rows and a `cost` frame.

    Skill of several vitals is null here, their errors having no common unit: the leaderboard has it as a mean over
    series.
    """
    levels = {"all": CONFIGURATION, "vital": ("vital", *CONFIGURATION), "cell": BY_CELL}
    parts = [scores(sums, by).with_columns(scope=pl.lit(scope)) for scope, by in levels.items()]
    table = pl.concat(parts, how="diagonal_relaxed")
    cost = pl.lit(None, pl.Float64)
    if cpu is not None:
        table = table.join(cpu.select(*FIT_KEY, "cpu_s"), on=list(FIT_KEY), how="left", nulls_equal=True)
        cost = pl.when(pl.col("scope") == "all").then(
            pl.col("cpu_s").round(6)
        )  # sums of threads differ in the last bit
    return table.with_columns(cpu_s=cost).select(SCORES.schema.names)


def _scores() -> list[pl.Expr]:
    pinballs = pl.sum_horizontal("pinball10", "pinball50", "pinball90")
    return [
        pl.col("n_due"),
        pl.col("n"),
        _share("n", "n_due").alias("answered"),
        _share("n_own", "n_due").alias("own"),
        _in_unit(_share("abs_error", "n")).alias("mae"),
        _in_unit(_share("square_error", "n").sqrt()).alias("rmse"),
        _in_unit(_share("error", "n")).alias("bias"),
        _share("smape", "n").alias("smape"),
        _share("scaled_abs", "n_scaled").alias("mase"),
        _share("scaled_square", "n_scaled").sqrt().alias("rmsse"),
        _in_unit(_share("abs_error_charged", "n_charged")).alias("mae_charged"),
        _share("scaled_abs_charged", "n_scaled_charged").alias("mase_charged"),
        _in_unit(_over(pinballs, 3 * pl.col("n_quantiles"))).alias("pinball"),
        _in_unit(_over(2 * pinballs, 3 * pl.col("abs_y"))).alias("wql"),
        _in_unit(_over(pinballs, 1.5 * pl.col("n_quantiles"))).alias("wis"),
        _in_unit(_over(10 * (pl.col("pinball10") + pl.col("pinball90")), pl.col("n_quantiles"))).alias(
            "interval_score"
        ),
        _share("n_covered", "n_quantiles").alias("covered"),
        _in_unit(_share("width", "n_quantiles")).alias("width"),
        (1 - _in_unit(_share("abs_beside", "abs_baseline_answered"))).alias("skill"),
    ]


def _share(part: str, whole: str) -> pl.Expr:
    return _over(pl.col(part), pl.col(whole))


def _over(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    """Null instead of a division by nothing."""
    return pl.when(whole > 0).then(part / whole)


def _in_unit(score: pl.Expr) -> pl.Expr:
    return pl.when(pl.col("n_vitals") == 1).then(score)
