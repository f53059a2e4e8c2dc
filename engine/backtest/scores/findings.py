"""All that a report of a backtest shows, as frames: nothing is drawn here, nothing computed where it is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.backtest.scores import pairs
from engine.backtest.scores.aging import aging, pairs_of
from engine.backtest.scores.clinical import VITALS, Agreement, agreement
from engine.backtest.scores.cost import FIT_KEY, cpu_by_configuration
from engine.backtest.scores.leaderboard import Leaderboard, leaderboard
from engine.backtest.scores.summary import scores
from engine.backtest.scores.table import CONFIGURATION
from engine.backtest.scores.wilson import wilson

BASELINE = "seasonal_naive"
Frames = Mapping[str, pl.LazyFrame]
TABLES = ("score_sums", "series_scores", "origin_sums", "fits", "origins", "forecasts", "weights")
"""What findings are made of; the last four may be absent."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What to find. every_h, phase_h: as in `Grid`. most: configurations in plots and pairs. subjects, aged: of whom
    clinical agreement and aging are computed, the first by name."""

    every_h: int = 1
    phase_h: int = 0
    most: int = 8
    subjects: int = 500
    aged: int = 100
    draws: int = 1000


@dataclass(frozen=True)
class Findings:
    """board: all vitals together. boards: by vital. chosen: the best configuration of each of the best models, best
    first, and of seasonal naive.

    by_step, by_vital_step: `SCORES` columns of `chosen`, on common origins. by_age: of each model's best configuration
    with the longest refit. aging: see there. by_grid: mase_charged of every configuration. coverage: by step, with low
    and high. statuses: model, status, n, cpu_s of fits; faults: model, status, error_class, error_message, n. origins:
    status, n. difference: (statistic, Holm's p) of `chosen` by Diebold–Mariano. clinical: of `chosen`, where there are
    vitals for it.
    """

    board: Leaderboard
    boards: Mapping[str, Leaderboard]
    chosen: pl.DataFrame
    by_step: pl.DataFrame
    by_vital_step: pl.DataFrame
    by_age: pl.DataFrame
    aging: pl.DataFrame
    by_grid: pl.DataFrame
    coverage: pl.DataFrame
    statuses: pl.DataFrame
    faults: pl.DataFrame
    origins: pl.DataFrame
    difference: tuple[NDArray[np.float64], NDArray[np.float64]]
    clinical: tuple[Agreement, ...]
    totals: Mapping[str, int] = field(default_factory=dict)


def find(frames: Frames, asked: Asked | None = None) -> Findings:
    """From the tables of a backtest, or as many of `TABLES` as there are; the first three must be."""
    asked = asked or Asked()
    series = frames["series_scores"]
    cpu = _cpu(frames, asked)
    board = leaderboard(series, cpu, asked.draws)
    vitals = series.select("vital").unique().collect()["vital"].sort().to_list()
    boards = {v: leaderboard(series.filter(pl.col("vital") == v), None, asked.draws) for v in vitals}
    chosen = _chosen(board.frame, asked.most)
    sums = frames["score_sums"]
    common = sums.filter(pl.col("common")) if board.basis == "common" else sums
    compared = common.join(chosen.lazy(), on=CONFIGURATION, nulls_equal=True)
    by_step = scores(compared, (*CONFIGURATION, "step"))
    return Findings(
        board=board,
        boards=boards,
        chosen=chosen,
        by_step=by_step,
        by_vital_step=scores(compared, (*CONFIGURATION, "vital", "step")),
        by_age=_by_age(common, board.frame),
        aging=_aging(frames, board.frame, asked),
        by_grid=board.frame.select(*CONFIGURATION, "mase_charged", "cpu_s"),
        coverage=_coverage(compared),
        statuses=_statuses(frames),
        faults=_faults(frames),
        origins=_counted(frames.get("origins"), "status"),
        difference=_difference(frames["origin_sums"], chosen, by_step, asked),
        clinical=_clinical(frames, chosen, asked),
        totals=_totals(frames, vitals),
    )


def _chosen(board: pl.DataFrame, most: int) -> pl.DataFrame:
    """The best configuration of each of the best models, and of the one that all are held against."""
    best = board.unique("model", keep="first", maintain_order=True).with_row_index()
    kept = pl.col("index") < most - (pl.col("model").head(most) != BASELINE).all()
    return best.filter(kept | (pl.col("model") == BASELINE)).select(CONFIGURATION)


def _cpu(frames: Frames, asked: Asked) -> pl.DataFrame | None:
    """By `FIT_KEY`; an ensemble costs what its members cost."""
    if "fits" not in frames:
        return None
    refits = frames["series_scores"].select("refit_h").unique().collect()["refit_h"].sort().to_list()
    cpu = cpu_by_configuration(frames["fits"], tuple(refits), asked.phase_h, asked.every_h)
    if "weights" not in frames:
        return cpu
    members = frames["weights"].select("model", "window_h", "refit_h", "member").unique().collect()
    priced = members.rename({"model": "ensemble", "member": "model"}).join(cpu, on=list(FIT_KEY), nulls_equal=True)
    priced = priced.group_by("ensemble", "window_h", "refit_h").agg(pl.col("n_fits", "n_ok", "cpu_s").sum())
    return pl.concat([cpu, priced.rename({"ensemble": "model"}).select(cpu.columns)])


def _by_age(sums: pl.LazyFrame, board: pl.DataFrame) -> pl.DataFrame:
    longest = board.filter(pl.col("refit_h") == pl.col("refit_h").max())
    best = longest.unique("model", keep="first", maintain_order=True).select(CONFIGURATION)
    rows = sums.filter(pl.col("age_h").is_not_null(), pl.col("served_by") == "fit")
    return scores(rows.join(best.lazy(), on=CONFIGURATION, nulls_equal=True), (*CONFIGURATION, "age_h"))


def _coverage(sums: pl.LazyFrame) -> pl.DataFrame:
    added = sums.group_by(*CONFIGURATION, "step").agg(pl.col("n_covered", "n_quantiles").sum())
    counted = added.filter(pl.col("n_quantiles") > 0).sort(*CONFIGURATION, "step").collect()
    low, high = wilson(counted["n_covered"].to_numpy(), counted["n_quantiles"].to_numpy())
    covered = pl.col("n_covered") / pl.col("n_quantiles")
    return counted.with_columns(covered=covered, low=pl.Series(low), high=pl.Series(high))


def _statuses(frames: Frames) -> pl.DataFrame:
    schema = {"model": pl.String, "status": pl.String, "n": pl.Int64, "cpu_s": pl.Float64}
    if "fits" not in frames:
        return pl.DataFrame(schema=schema)
    counted = frames["fits"].group_by("model", "status").agg(n=pl.len().cast(pl.Int64), cpu_s=pl.col("cpu_s").sum())
    return counted.sort("model", "status").collect().select(list(schema))


def _faults(frames: Frames, most: int = 20) -> pl.DataFrame:
    by = ["model", "status", "error_class", "error_message"]
    if "fits" not in frames:
        return pl.DataFrame(schema={**dict.fromkeys(by, pl.String), "n": pl.Int64})
    bad = frames["fits"].filter(pl.col("status").is_in(["ok", "constant"]).not_())
    return bad.group_by(by).agg(n=pl.len().cast(pl.Int64)).sort("n", *by, descending=[True] + [False] * 4).head(
        most
    ).collect()  # fmt: skip


def _counted(frame: pl.LazyFrame | None, by: str) -> pl.DataFrame:
    if frame is None:
        return pl.DataFrame(schema={by: pl.String, "n": pl.Int64})
    return frame.group_by(by).agg(n=pl.len().cast(pl.Int64)).sort("n", by, descending=[True, False]).collect()


def _difference(
    origins: pl.LazyFrame, chosen: pl.DataFrame, by_step: pl.DataFrame, asked: Asked
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    losses = pairs.losses(origins, chosen, scaled=True)
    steps = by_step["step"].max()
    overlapping = -(-int(steps) // asked.every_h) if isinstance(steps, int) else 1
    statistic, _, corrected = pairs.over_origins(losses, overlapping)
    return statistic, corrected


def _clinical(frames: Frames, chosen: pl.DataFrame, asked: Asked) -> tuple[Agreement, ...]:
    kept = _some(frames, asked.subjects, pl.col("vital").is_in(VITALS))
    if kept is None:
        return ()
    return tuple(agreement(kept.join(chosen[i].lazy(), on=CONFIGURATION, nulls_equal=True)) for i in range(len(chosen)))


def _aging(frames: Frames, board: pl.DataFrame, asked: Asked) -> pl.DataFrame:
    kept, twins = _some(frames, asked.aged, pl.lit(True)), pairs_of(board)
    if kept is None or twins.is_empty():
        return pl.DataFrame(schema={"model": pl.String, "age_h": pl.Int64, "n": pl.Int64, "ratio": pl.Float64})
    return aging(kept, twins)


def _some(frames: Frames, subjects: int, of: pl.Expr) -> pl.LazyFrame | None:
    """Forecasts of the first so many subjects, or None."""
    if "forecasts" not in frames:
        return None
    first = frames["series_scores"].filter(of).select(pl.col("subject_id").unique().sort().head(subjects))
    names = first.collect()["subject_id"].to_list()
    return frames["forecasts"].filter(of, pl.col("subject_id") <= names[-1]) if names else None


def _totals(frames: Frames, vitals: list[str]) -> dict[str, int]:
    series = frames["series_scores"]
    rows = {
        "subjects": series.select(pl.col("subject_id").n_unique()),
        "series": series.select(pl.struct("subject_id", "vital").n_unique()),
        "configurations": series.select(pl.struct(CONFIGURATION).n_unique()),
        "scored rows": series.select(pl.col("n_due").sum()),
    }
    found = {name: int(frame.collect().item()) for name, frame in rows.items()}
    found["vitals"] = len(vitals)
    if "fits" in frames:
        found["fits"] = int(frames["fits"].select(pl.len()).collect().item())
    return found
