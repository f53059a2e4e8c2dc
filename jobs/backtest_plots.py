"""The figures of a backtest's report, as HTML with SVG in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
import polars as pl

from engine.backtest.scores.findings import Findings
from jobs.page import figure
from jobs.svg import COLOURS, Axis, Chart

NOMINAL, LEAST_SHOWN = 0.8, 0.5
Row = Mapping[str, Any]


def label(row: Row) -> str:
    """A configuration in few letters.

    >>> label({"model": "ets", "window_h": 168, "refit_h": 24, "policy": "update"})
    'ets 168/24'
    >>> label({"model": "ets", "window_h": None, "refit_h": 1, "policy": "stale"})
    'ets all/1 stale'
    """
    window = "all" if row["window_h"] is None else row["window_h"]
    return f"{row['model']} {window}/{row['refit_h']}" + (" stale" if row["policy"] == "stale" else "")


def colours(found: Findings) -> dict[str, int]:
    """Each model's colour, the same in all figures: by rank among the chosen; the others are dim."""
    models = found.board.frame["model"].unique(maintain_order=True).to_list()
    chosen = {model: i for i, model in enumerate(found.chosen["model"])}
    return {model: min(chosen.get(model, COLOURS), COLOURS) for model in models}


def by_step(found: Findings) -> str:
    """MASE by hours ahead, all vitals together."""
    chart = Chart(_hours(found.by_step, "step", "hours ahead"), Axis("MASE"), 1120, 330)
    _lines(chart, found, found.by_step, "step", "mase")
    note = "Best configuration of each model (window/refit, hours), common origins."
    return figure("Error by step", note, chart.svg("MASE by step"), "span")


def by_vital_step(found: Findings) -> list[str]:
    """MAE by hours ahead, one figure a vital."""
    figures = []
    for (vital,), rows in found.by_vital_step.group_by("vital", maintain_order=True):
        chart = Chart(_hours(rows, "step", "hours ahead"), Axis("MAE"), 540, 300)
        _lines(chart, found, rows, "step", "mae")
        figures.append(figure(str(vital), "MAE in the vital's unit.", chart.svg(f"MAE of {vital}")))
    return figures


def by_age(found: Findings) -> str:
    """MASE by hours since the fit."""
    chart = Chart(_hours(found.by_age, "age_h", "hours since the fit"), Axis("MASE"))
    _lines(chart, found, found.by_age, "age_h", "mase")
    note = (
        "Best configuration of each model with the longest refit; rows of its own fits. An age is an hour of the day."
    )
    return figure("Error by age", note, chart.svg("MASE by age"))


def aging(found: Findings) -> str:
    """Error over that of the twin that is refitted most often, by age."""
    if found.aging.is_empty():
        return ""
    chart = Chart(_hours(found.aging, "age_h", "hours since the fit"), Axis("MAE / MAE refitted"))
    chart.rule(1.0)
    colour = colours(found)
    for model in found.chosen["model"]:
        part = found.aging.filter(pl.col("model") == model)
        chart.line(part["age_h"].to_list(), part["ratio"].to_list(), colour[model], model)
    note = (
        "The same against its twin with the shortest refit, on the same rows. 1 at every age: refitting gains nothing."
    )
    return figure("What age costs", note, chart.svg("error against refitting, by age"))


def by_choice(found: Findings, column: str) -> str:
    """Each model's best MASE over training windows, or over refit frequencies."""
    axis = {"window_h": ("training window, h", "Error by window"), "refit_h": ("hours between fits", "Error by refit")}
    values = found.by_grid[column].unique().sort(nulls_last=True).to_list()
    names = ["all" if value is None else str(value) for value in values]
    chart = Chart(Axis(axis[column][0], ticks=range(len(values)), names=names), Axis("MASE"))
    best = found.by_grid.group_by("model", column).agg(pl.col("mase_charged").min())
    place, colour = {value: i for i, value in enumerate(values)}, colours(found)
    for model in found.chosen["model"]:
        rows = best.filter(pl.col("model") == model).drop_nulls("mase_charged").rows(named=True)
        points = sorted((place[row[column]], row["mase_charged"]) for row in rows)
        chart.line([x for x, _ in points], [y for _, y in points], colour[model], model)
    other = "refits" if column == "window_h" else "windows"
    return figure(axis[column][1], f"Best of all {other}, common origins.", chart.svg(axis[column][1]))


def pareto(found: Findings) -> str:
    """CPU seconds against error."""
    rows = found.board.frame.filter((pl.col("cpu_s") > 0) & pl.col("mase_charged").is_not_null())
    front = rows.filter("pareto").sort("cpu_s")
    highest = max([*front["mase_charged"], 2 * (rows["mase_charged"].median() or 0.0)])  # type: ignore[operator]
    seen = rows.filter(pl.col("mase_charged") <= highest)
    chart = Chart(Axis("CPU seconds of all fits, if run alone", log=True), Axis("MASE"), 700, 400)
    colour = colours(found)
    chart.front(front["cpu_s"].to_list(), front["mase_charged"].to_list())
    for row in seen.filter(~pl.col("pareto")).rows(named=True):
        chart.points([row["cpu_s"]], [row["mase_charged"]], colour[row["model"]], label(row))
    for i, row in enumerate(front.rows(named=True)):
        chart.mark(row["cpu_s"], row["mase_charged"], colour[row["model"]], str(i + 1), label(row))
    above = f" {len(rows) - len(seen)} lie above, over twice the median." if len(seen) < len(rows) else ""
    note = f"Every configuration; numbered are those of the front. Point at a dot for its name.{above}"
    return figure("Cost against error", note, keys(found, rows["model"].unique().to_list()) + chart.svg("cost"))


def coverage(found: Findings) -> list[str]:
    """Share inside q10 … q90 by step, a small figure each."""
    colour, figures = colours(found), []
    for one in found.chosen.rows(named=True):
        mine = (pl.col(name).eq_missing(pl.lit(one[name])) for name in found.chosen.columns)
        rows = found.coverage.filter(*mine).sort("step")
        chart = Chart(_hours(rows, "step", "hours ahead"), Axis(""), 300, 190)
        chart.limits(min([LEAST_SHOWN, *rows["low"].to_list()]), 1.0)
        chart.rule(NOMINAL)
        steps = rows["step"].to_list()
        chart.band(steps, rows["low"].to_list(), rows["high"].to_list(), colour[one["model"]])
        chart.line(steps, rows["covered"].to_list(), colour[one["model"]])
        figures.append(figure(label(one), "", chart.svg(f"coverage of {label(one)}")))
    return figures


def forest(row: Row, low: float, high: float) -> str:
    """Skill with its interval, in a table's cell; the tick is 0."""
    values = [row["skill_low"], row["skill"], row["skill_high"]]
    if any(value is None for value in values) or high <= low:
        return ""
    a, b, c, zero = (4 + 122 * (max(value, low) - low) / (high - low) for value in (*values, 0.0))
    return (
        f'<svg viewBox="0 0 130 18" aria-hidden="true"><path class="grid" d="M{zero:.1f} 1V17"/>'
        f'<path d="M{a:.1f} 9H{c:.1f}" style="stroke:var(--c0);stroke-width:2"/>'
        f'<circle cx="{b:.1f}" cy="9" r="3.6" style="fill:var(--c0)"/></svg>'
    )


def keys(found: Findings, models: Sequence[str]) -> str:
    """Which colour is which model."""
    return "".join(
        f'<span class="key"><i style="background:{"var(--dim)" if c >= COLOURS else f"var(--c{c})"}"></i>'
        f"{escape(model)}</span>"
        for model, c in colours(found).items()
        if model in models
    )


def _lines(chart: Chart, found: Findings, rows: pl.DataFrame, x: str, y: str) -> None:
    colour, order = colours(found), {model: i for i, model in enumerate(found.chosen["model"])}
    groups = sorted(rows.drop_nulls(y).group_by("model"), key=lambda group: order.get(str(group[0][0]), 99))
    for (model,), group in groups:
        part = group.sort(x)
        chart.line(part[x].to_list(), part[y].to_list(), colour[str(model)], label(part.row(0, named=True)))


def _hours(rows: pl.DataFrame, column: str, text: str) -> Axis:
    """Ticks at whole hours, every six where there are many."""
    last = rows[column].max()
    last = int(last) if isinstance(last, int) else 1
    step = 1 if last <= 8 else 2 if last <= 14 else 6 if last <= 48 else 24
    first = 0 if column == "age_h" else step
    ticks = np.arange(first, last + 1, step).tolist()
    return Axis(text, ticks=ticks if column == "age_h" or step == 1 else [1, *ticks])
