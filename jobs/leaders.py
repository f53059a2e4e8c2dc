"""Who leads: the configurations of a backtest by their scores, with what they cost."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import polars as pl
from rich.console import Console

from engine.backtest.scores.leaderboard import Leaderboard
from jobs.backtest_run import Served
from jobs.show import count, draw

SHOWN = 15
NOT_COMPARABLE = "not comparable: budget_s excludes by measured CPU seconds, so an equal run may rank otherwise"
UNSCALED = "skill (for a MASE no series is long enough: 24 pairs of hours a season apart, before the origin)"
_UNITS = {"window/refit": "h", "cpu_s": "s", "skill": "%", "covered": "%", "bounded": "%"}


def show_leaders(console: Console, board: Leaderboard) -> None:
    """The first places, on one screen."""
    window = pl.col("window_h").cast(pl.String).fill_null("all")
    policy = pl.when(pl.col("policy") == "update").then(pl.lit("")).otherwise(pl.format(" {}", "policy"))
    note = pl.when("best").then(pl.lit("best")).when("as_good").then(pl.lit("unclear")).otherwise(pl.lit(""))
    bounds = [] if board.is_bounded else ["bounded"]
    shown = board.frame.select(
        "model",
        pl.format("{} / {}{}", window, "refit_h", policy).alias("window/refit"),
        pl.col("mase_charged").round(3).alias("mase"),
        *((pl.col(name) * 100).round(1) for name in ("skill", "covered", *bounds)),
        pl.col("cpu_s").round(2),
        pl.concat_str(note, pl.when("pareto").then(pl.lit(" ·")).otherwise(pl.lit(""))).alias("note"),
    )
    order = "MASE" if board.is_scaled else UNSCALED
    title = (
        f"leaderboard: {count(shown.height, 'configuration')} over {count(board.n_users, 'user')}, by {order} on the "
        f"{'origins that all have' if board.basis == 'common' else 'origins that each has (none is common)'}"
    )
    draw(console, shown, title, _UNITS, SHOWN)
    console.print("unclear: not told apart from the best by its users (Holm) · dot: none is both better and cheaper")
    rest = " · bounded: forecasts that have q10 and q90, of which covered tells" if bounds else ""
    console.print(f"covered: observations from q10 to q90, which promise 80 %{rest}")


def as_dict(served: Served, board: Leaderboard) -> dict[str, Any]:
    """For a machine."""
    return {
        "runs": [asdict(one) for one in served.summaries],
        "fits_id": served.fits_id,
        "serve_id": served.serve_id,
        "comparable": served.is_comparable,
        "basis": board.basis,
        "n_users": board.n_users,
        "leaderboard": board.frame.to_dicts(),
    }
