"""`nightmill plan backtest.yaml`: the sweep before it is run."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from typing import Any

import click
import polars as pl
from rich.console import Console

from engine.backtest.sweep.pilot import LEAST_S, fly
from engine.backtest.sweep.plan import make
from engine.storage import Store
from jobs.backtest_flags import settings
from jobs.show import count, draw, span
from jobs.sweep import Backtest, prepare, timelines
from jobs.workers import number_of

_HEADS = {"cpu_s": "s"}


def plan(flags: dict[str, Any], pilot: bool, as_json: bool) -> int:
    """Read the series and count, after trying some fits if `pilot`; nothing of the output changes."""
    told = settings(flags)
    with tempfile.TemporaryDirectory(prefix="nightmill-plan-") as folder:
        study = prepare(told, frozen=Store(folder))
        if pilot:
            Console(stderr=as_json).print("pilot      trying some fits of each model …")
            study = piloted(study)
    workers = number_of(told)
    if as_json:
        click.echo(json.dumps(as_dict(study, workers), default=str))
    else:
        show_sweep(Console(), study, workers)
    return 0


def piloted(study: Backtest) -> Backtest:
    """The study with costs as a pilot finds them here. Only what is told changes: spans of fits stay as the table of
    costs cuts them, since their keys name stored rows."""
    how = study.how
    measured = fly({ref.name: ref.load() for ref in how.refs}, timelines(how.frozen, how.index, how.grid), how.grid)
    found = make(timelines(how.frozen, how.index, how.grid), how.grid, how.refs, measured)
    before, after = (dict(sweep.models.select("model", "cpu_s").iter_rows()) for sweep in (study.sweep, found))
    scale = {name: after[name] / max(before[name], LEAST_S) for name in after}
    units = [
        replace(one, predicted_s=one.predicted_s * scale[one.group.rpartition("/")[2]]) for one in study.todo.units
    ]
    return replace(study, sweep=found, todo=replace(study.todo, units=units))


def show_sweep(console: Console, study: Backtest, workers: int) -> None:
    """Series, distinct fits and forecasts, the CPU seconds that they may take, and what sharing saves."""
    sweep, grid = study.sweep, study.grid
    windows = ", ".join("expanding" if window is None else str(window) for window in grid.windows_h)
    console.print(
        f"series     {count(sweep.series, 'series', 'series')} · {count(sweep.origins, 'origin')}, "
        f"{sweep.common:,} of which every configuration can serve",
        soft_wrap=True,
    )
    console.print(
        f"sweep      {count(len(grid.models), 'model')} × windows {windows} h × refits "
        f"{', '.join(map(str, grid.refits_h))} h × {', '.join(grid.policies)} × {grid.horizon_h} h ahead",
        soft_wrap=True,
    )
    made = sweep.models.select(
        "model",
        "configurations",
        "fits",
        pl.sum_horizontal("anchors", "selects").alias("auxiliary"),
        "too_short",
        "forecasts",
        "rows",
        pl.col("cpu_s").round(2),
    )
    draw(console, made, "distinct fits and forecasts", _HEADS)
    for note in sweep.notes:
        console.print(f"           {note}", soft_wrap=True)
    if sweep.sharing == sweep.sharing:
        console.print(
            f"sharing    each configuration by itself: {sweep.sharing:.2f} times the fits, "
            f"{span(sweep.separate_cpu_s)} instead of {span(sweep.cpu_s)} of CPU",
            soft_wrap=True,
        )
    todo = study.todo
    guessed = " (some costs are guesses)" if sweep.models["guessed"].any() else ""
    console.print(
        f"to do      {count(todo.count, 'span')} of fits, {todo.done:,} up to date · about "
        f"{span(todo.predicted_s / workers)} on {count(workers, 'worker')}{guessed}, then serving",
        soft_wrap=True,
    )


def as_dict(study: Backtest, workers: int) -> dict[str, Any]:
    """The plan for a machine."""
    sweep = study.sweep
    return {
        "output": study.output.uri,
        "series": sweep.series,
        "origins": sweep.origins,
        "common_origins": sweep.common,
        "models": sweep.models.to_dicts(),
        "windows": sweep.windows.to_dicts(),
        "sharing": sweep.sharing,
        "cpu_s": sweep.cpu_s,
        "separate_cpu_s": sweep.separate_cpu_s,
        "to_do": {"spans": study.todo.count, "predicted_s": study.todo.predicted_s, "workers": workers},
        "done_spans": study.todo.done,
        "notes": list(sweep.notes),
    }
