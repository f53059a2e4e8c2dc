"""`nightmill reprocess`: map a module over every raw file that is new or stale."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import click
import polars as pl
from rich.console import Console

from engine import ledger
from engine.events import Listener
from engine.module import Status
from engine.run import RunSettings, run
from engine.running.budget import Strata
from engine.running.progress import CommitSettings, RunSummary
from jobs import exits
from jobs.baselines import OLD, are_old
from jobs.estimates import held, refuse_surprise, with_estimate
from jobs.options import as_json, run_options, settings, taking
from jobs.plan import show_plan
from jobs.progress_json import JSON, progress_option, shown
from jobs.show import count, draw, size, span
from jobs.study import Study, prepare
from jobs.workers import lend, number_of


@click.command(
    epilog="""\b
Examples:
  nightmill reprocess raw/ -o out --zone Europe/Zurich
  nightmill reprocess reprocess.yaml --workers 8
  nightmill reprocess raw/ -o out --module mypackage.sleep:Sleep --set min_h=3
  nightmill reprocess reprocess.yaml --retry failed,quarantined

The same command again does only what is new or changed, and goes on after a crash or an interruption.
"""
    + exits.MEANING
)
@taking(*run_options)
@progress_option
@as_json
def command(as_json: bool, progress: str, **flags: Any) -> int:
    """Map the module over every raw file that is new or stale, and write its tables to OUT.

    One bad file never stops the run: it gets a row with its status and reason, see `nightmill errors`.
    """
    console = Console(stderr=as_json, quiet=as_json and progress == JSON)
    with shown(progress, console) as listener:
        study = prepare(settings(flags), listener)
        if study.plan.count:
            refuse_surprise(study)
            study = with_estimate(study, console)
        show_plan(console, study, number_of(study.settings))
        if study.is_current:
            console.print("nothing to do: every file is up to date")
            if as_json:
                click.echo(json.dumps({"run_id": None, "state": "nothing to do", "statuses": {}, "rows": {}}))
            return exits.FINISHED
        summary = carry_out(study, listener)
    if as_json:
        click.echo(json.dumps(asdict(summary)))
    else:
        show_summary(console, study, summary)
    return exits.BAD_FILES if summary.bad else exits.FINISHED


def carry_out(study: Study, listener: Listener) -> RunSummary:
    """Run the plan on what the settings ask for. Without anything to process no cluster is started."""
    told = study.settings
    run_settings = RunSettings(
        limits=held(told, study.estimate),
        commits=CommitSettings(told.commit.seconds, round(told.commit.mb * 1e6)),
        max_failures=told.max_failures,
        strata=Strata.by(told.max_failures_by, (one.template for one in told.inputs)) if told.max_failures_by else None,
        batch_works=told.batch,
        config=told.model_dump_json(),
    )
    with lend(told, study.plan.count, listener) as executor:
        return run(
            study.identity,
            study.mapped,
            study.plan,
            study.output,
            executor,
            run_settings,
            listener,
            after=study.after,
            inventory=study.inventory.to_parquet(),
        )


def show_summary(console: Console, study: Study, summary: RunSummary) -> None:
    """How the run ended: files by status and reason, rows, where they are, what to type next."""
    entries = ledger.entries(study.output, study.identity.module_id)
    mine = entries.filter(pl.col("run_id") == summary.run_id)
    draw(console, by_status(mine), f"run {summary.run_id}: {summary.state} in {span(summary.seconds)}", {})
    reasons = by_reason(mine)
    if reasons.height:
        draw(console, reasons, "most frequent reasons", {}, 8)
    where = study.settings.output
    rows = ", ".join(f"{name} {number:,}" for name, number in sorted(summary.rows.items()))
    console.print(f"rows       {rows or 'none'}")
    console.print(f"output     {where}", soft_wrap=True)
    if summary.seconds:
        speed = size(int(mine["size_bytes"].sum()) / summary.seconds)
        console.print(f"speed      {mine.height / summary.seconds:.1f} files/s, {speed}/s")
    bad = mine.filter(pl.col("status") != "ok").height
    if bad:
        console.print(f"next       nightmill errors {where}     {count(bad, 'file')} not ok", soft_wrap=True)
    if are_old(study.output):
        console.print(f"next       nightmill baselines {where}     {OLD}", soft_wrap=True)
    console.print(f"next       nightmill tables {where}", soft_wrap=True)


def by_status(entries: pl.DataFrame) -> pl.DataFrame:
    """Files by status, the best first."""
    counted = entries.group_by(pl.col("status").cast(pl.Enum(Status))).agg(
        files=pl.len(), seconds=pl.col("seconds").sum()
    )
    return counted.sort("status").with_columns(pl.col("status").cast(pl.String), pl.col("seconds").round(1))


def by_reason(entries: pl.DataFrame) -> pl.DataFrame:
    """Reason codes by how many files carry them."""
    told = entries.select("file", reason="reasons").explode("reason").drop_nulls("reason")
    return told.group_by("reason").agg(files=pl.len()).sort(["files", "reason"], descending=[True, False])
