"""One row a configuration: how well, how surely, at what cost; and what the first place is worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from engine.backtest.scores import bootstrap, pairs, pareto
from engine.backtest.scores.cost import FIT_KEY
from engine.backtest.scores.summary import scores
from engine.backtest.scores.table import CONFIGURATION
from engine.backtest.scores.users import Users, users

_SCORES = ("mae", "rmse", "bias", "mase", "answered", "own", "covered", "width", "wql")


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """frame: see `leaderboard`. basis: `common` or `all` origins. best_unseen: MASE to expect of the first place on
    users that took no part in choosing it, NaN for one user. n_users: users compared."""

    frame: pl.DataFrame
    basis: str
    best_unseen: float
    n_users: int

    @property
    def is_scaled(self) -> bool:
        """Whether any configuration has a MASE: a series of under two seasons has none."""
        return self.frame["mase_charged"].null_count() < len(self.frame)

    @property
    def is_bounded(self) -> bool:
        """Whether all forecasts have an interval, as far as a table of percents shows."""
        return bool((self.frame["bounded"].fill_null(1.0) > 0.995).all())


def leaderboard(series: pl.LazyFrame, cpu: pl.DataFrame | None = None, draws: int = bootstrap.DRAWS) -> Leaderboard:
    """Configurations by MASE (where that is undefined by skill), best first, of `SERIES_SCORES` rows (filtered by vital
    or not) and `cost` frame.

    Columns: `CONFIGURATION`; mae, rmse, bias, mase, answered, own, covered, width, wql, bounded (share of rows with a
    forecast that have q10 and q90: of these covered, width and wql tell), and n_common (rows with an observation) on
    the origins that all configurations have, or on all where they have none in common (`basis`), whoever served.
    mase_charged ranks: as mase, with seasonal naive's error where the model did not serve. skill, skill_low,
    skill_high: 95 % over users. n_all, mae_all, mase_all, answered_all: on all origins; mae_own, mase_own: there, of
    its own fits only. p, p_holm: against the best, over users, Holm over all pairs. best; as_good: not shown to be
    worse; pareto; n_fits, cpu_s.
    """
    common = series.filter(pl.col("common"))
    basis = "common" if common.select(pl.len()).collect().item() else "all"
    chosen = common if basis == "common" else series
    table = scores(chosen, CONFIGURATION).select(*CONFIGURATION, pl.col("n_due").alias("n_common"), *_SCORES)
    table = _joined(table, _bounded(chosen), CONFIGURATION)
    if basis == "all":
        table = table.with_columns(n_common=pl.lit(0, pl.Int64))
    whole = scores(series, CONFIGURATION).select(
        *CONFIGURATION, n_all="n_due", mae_all="mae", mase_all="mase", answered_all="answered"
    )
    own = scores(series.filter(pl.col("served_by") == "fit"), CONFIGURATION)
    own = own.select(*CONFIGURATION, mae_own="mae", mase_own="mase")
    compared = users(chosen)
    table = _joined(whole, table, CONFIGURATION)
    if cpu is None:
        cpu = pl.DataFrame(
            schema={"model": pl.String, **dict.fromkeys((*FIT_KEY[1:], "n_fits"), pl.Int64), "cpu_s": pl.Float64}
        )
    price = _joined(compared.configurations, cpu.select(*FIT_KEY, "n_fits", "cpu_s"), FIT_KEY)
    table = _joined(_joined(table, own, CONFIGURATION), _compared(compared, price, draws), CONFIGURATION)
    by_skill = pl.when(pl.col("mase_charged").is_null()).then(-pl.col("skill"))
    table = _with_front(table).sort("mase_charged", by_skill, "cpu_s", *CONFIGURATION, nulls_last=True)
    unseen = bootstrap.best_unseen(compared.scaled, compared.n_scaled, draws)
    return Leaderboard(table, basis, unseen, len(compared.subjects))


def _bounded(series: pl.LazyFrame) -> pl.DataFrame:
    """An ensemble has intervals only where its own earlier errors are enough for them."""
    added = series.group_by(CONFIGURATION).agg(pl.col("n_quantiles", "n").sum())
    share = pl.when(pl.col("n") > 0).then(pl.col("n_quantiles") / pl.col("n"))
    return added.select(*CONFIGURATION, share.alias("bounded")).collect()


def _compared(compared: Users, price: pl.DataFrame, draws: int) -> pl.DataFrame:
    """What needs users, beside the price: skill with its interval, differences from the best. Of equals the cheapest
    is the best."""
    whole = np.ones(len(compared.subjects))
    n_scaled, n_series = whole @ compared.n_scaled, whole @ compared.n_series
    with np.errstate(invalid="ignore", divide="ignore"):
        mase = np.where(n_scaled > 0, whole @ compared.scaled / n_scaled, np.nan)
        skill = np.where(n_series > 0, 1 - np.exp(whole @ compared.log_ratio / n_series), np.nan)
    low, high = bootstrap.interval(1 - np.exp(bootstrap.ratio_draws(compared.log_ratio, compared.n_series, draws)))
    columns = {"mase_charged": mase, "skill": skill, "skill_low": low, "skill_high": high}
    best = np.zeros(len(mase), np.bool_)
    p = corrected = np.full(len(mase), np.nan)
    if np.isfinite(mase).any():
        first = int(np.lexsort((price["cpu_s"].fill_null(np.inf).to_numpy(), mase))[0])
        best[first] = True
        p, corrected = (matrix[first] for matrix in pairs.over_users(compared))
    columns |= {"p": p, "p_holm": corrected}
    frame = price.with_columns(**{name: pl.Series(v, nan_to_null=True) for name, v in columns.items()})
    as_good = pl.col("best") | (pl.col("p_holm") > 0.05)
    return frame.with_columns(best=pl.Series(best)).with_columns(as_good=as_good)


def _with_front(table: pl.DataFrame) -> pl.DataFrame:
    cost, error = (table[name].fill_null(np.nan).to_numpy() for name in ("cpu_s", "mase_charged"))
    return table.with_columns(pareto=pl.Series(pareto.front(cost, error)))


def _joined(left: pl.DataFrame, right: pl.DataFrame, on: tuple[str, ...]) -> pl.DataFrame:
    return left.join(right, on=list(on), how="left", nulls_equal=True, maintain_order="left")
