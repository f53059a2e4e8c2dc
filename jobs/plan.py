"""`nightmill plan`: what a reprocessing would do, and why, without doing it."""

from __future__ import annotations

import json
from typing import Any

import click
import polars as pl
from rich.console import Console

from jobs.options import as_json, run_options, settings, taking
from jobs.show import draw
from jobs.study import Study, prepare, show_plan
from jobs.workers import limits, number_of


@click.command(
    epilog="""\b
Examples:
  nightmill plan raw/ -o out --zone Europe/Zurich
  nightmill plan reprocess.yaml --stale       every Source to do, and what changed
  nightmill plan reprocess.yaml --ignored     objects that are no candidates

Why a Source is stale: it is new, its files changed or came late, what is known of it changed (a corrected time zone),
or the module's code or parameters changed; the file or parameter is named.
"""
)
@taking(*run_options)
@click.option("--stale", is_flag=True, help="List every Source to process and why.")
@click.option("--ignored", is_flag=True, help="List the objects that are no candidates and why.")
@as_json
def command(stale: bool, ignored: bool, as_json: bool, **flags: Any) -> int:
    """Say what a reprocessing would do: files, bytes, why each is to do, and how long it may take.

    Nothing is run. (If an earlier run was killed in the middle of a commit, that commit is completed.)
    """
    study = prepare(settings(flags))
    workers = number_of(study.settings)
    if as_json:
        click.echo(json.dumps(summary(study, workers), default=str))
        return 0
    console = Console()
    show_plan(console, study, workers, limits(study.settings).memory_mb)
    if stale:
        draw(console, study.plan.stale, "stale", {"size_bytes": "By"}, 1000)
    if ignored:
        draw(console, study.inventory.ignored, "ignored", {"size_bytes": "By"}, 1000)
    return 0


def summary(study: Study, workers: int) -> dict[str, Any]:
    """The plan for a machine."""
    made, taken = study.plan, study.inventory
    return {
        "module_id": study.identity.module_id,
        "output": study.output.uri,
        "files": taken.inputs.height,
        "bytes": taken.size_bytes,
        "ignored": taken.ignored.height,
        "to_do": {"works": made.count, "files": made.files, "bytes": made.size_bytes},
        "done_files": made.done_files,
        "why": made.summary.to_dicts(),
        "estimate_s": made.predicted_s / workers,
        "measured": made.rate.measured,
        "stale": made.stale.select(pl.exclude("hint")).to_dicts(),
    }
