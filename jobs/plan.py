"""`nightmill plan`: what a reprocessing would do, and why, without doing it."""

from __future__ import annotations

import json
from typing import Any

import click
import polars as pl
from rich.console import Console

from engine import ledger
from engine.running.rekey import rekey
from jobs import estimates, sweep_plan
from jobs.backtest_flags import is_backtest
from jobs.gone import gone, sentence
from jobs.options import as_json, run_options, settings, taking
from jobs.show import count, draw, size
from jobs.study import Study, prepare
from jobs.workers import number_of

LISTED = 1000
"""Rows of a list for a person, and of `stale` for a machine."""


@click.command(
    epilog="""\b
Examples:
  nightmill plan raw/ -o out --zone Europe/Zurich
  nightmill plan backtest.yaml                a sweep: distinct fits, what they cost, what sharing saves
  nightmill plan reprocess.yaml --pilot       measure a few files: time, memory, output, price
  nightmill plan reprocess.yaml --stale       every Source to do, and what changed
  nightmill plan reprocess.yaml --ignored     objects that are no candidates
  nightmill plan reprocess.yaml --sample 0.01 one subject in a hundred; a later run of all goes on from it
  nightmill plan reprocess.yaml --by-content  after a move or copy: files with unchanged bytes count as done

Why a Source is stale: it is new, its files changed or came late, what is known of it changed (a corrected time zone),
or the module's code or parameters changed; the file or parameter is named.
"""
)
@taking(*run_options)
@click.option(
    "--pilot",
    is_flag=True,
    help="Try some files of all sizes, or fits of a backtest, for a minute or so; nothing is kept.",
)
@click.option("--by-content", is_flag=True, help="Read changed files; where the bytes are the old ones, re-key them.")
@click.option("--stale", is_flag=True, help="List every Source to process and why.")
@click.option("--ignored", is_flag=True, help="List the objects that are no candidates and why.")
@as_json
def command(pilot: bool, by_content: bool, stale: bool, ignored: bool, as_json: bool, **flags: Any) -> int:
    """Say what a reprocessing would do: files, bytes, why each is to do, and how long it may take.

    No table changes, but with --by-content the ledger's keys. (If an earlier run was killed in the middle of a commit,
    that commit is completed.)
    """
    if is_backtest(flags["what"]):
        return sweep_plan.plan(flags, pilot, as_json)
    console = Console(stderr=as_json)
    told = settings(flags)
    study = prepare(told)
    if by_content:
        _rekey(console, study)
        study = prepare(told)
    study = estimates.with_estimate(study, console, pilot)
    workers = number_of(told)
    if as_json:
        click.echo(json.dumps(as_dict(study, workers), default=str))
        return 0
    show_plan(console, study, workers)
    if stale:
        listed = study.plan.first_stale(LISTED).select("source_id", "why", "detail", "size_bytes")
        draw(console, listed, "stale", {"size_bytes": "By"}, LISTED)
        _tell_rest(console, study.plan.count)
    if ignored:
        draw(console, study.inventory.ignored, "ignored", {"size_bytes": "By"}, LISTED)
    return 0


def _rekey(console: Console, study: Study) -> None:
    found = rekey(study.plan, ledger.scan(study.output), study.output, study.identity.module_id, study.after)
    console.print(
        f"by content {count(found.same, 'Source')} moved or copied, now up to date · {found.different:,} left to do: "
        f"other bytes, or not as the ledger says · {size(found.size_bytes)} read",
        soft_wrap=True,
    )


def _tell_rest(console: Console, works: int) -> None:
    if works > LISTED:
        console.print(f"  … {count(works - LISTED, 'more row')}")


def show_plan(console: Console, study: Study, workers: int) -> None:
    """Counts, bytes, why the files are to do, and what it may take: one screen, whatever the number of files."""
    made, held, share = study.plan, study.inventory.counts, study.settings.sample
    sample = "" if share is None else f" · a sample of {share:g} of the subjects"
    console.print(
        f"inventory  {count(held.inputs, 'file')} · {size(held.size_bytes)} · {count(held.subjects, 'subject')} · "
        f"{count(held.sources, 'Source')} · {count(study.inventory.ignored.height, 'other object')} ignored{sample}",
        soft_wrap=True,
    )
    console.print(f"module     {study.identity.module_id} ({study.identity.reference})")
    console.print(f"to do      {count(made.files, 'file')} · {size(made.size_bytes)} · {made.done_files:,} up to date")
    left = sentence(study)
    if left is not None:
        console.print(left, soft_wrap=True)
    if not made.count:
        return
    why = made.summary.with_columns(pl.col("size_bytes").map_elements(size, pl.String).alias("size")).drop("size_bytes")
    draw(console, why, "why", {})
    estimates.show_estimate(console, study, workers)
    unexpected = estimates.surprise(study)
    if unexpected is not None:
        console.print(f"refused    {unexpected}", style="red", soft_wrap=True)


def as_dict(study: Study, workers: int) -> dict[str, Any]:
    """The plan for a machine."""
    made, held = study.plan, study.inventory.counts
    return {
        "module_id": study.identity.module_id,
        "output": study.output.uri,
        "files": held.inputs,
        "bytes": held.size_bytes,
        "subjects": held.subjects,
        "ignored": study.inventory.ignored.height,
        "to_do": {"works": made.count, "files": made.files, "bytes": made.size_bytes},
        "done_files": made.done_files,
        "gone": gone(study)["source_id"].n_unique(),
        "why": made.summary.to_dicts(),
        **estimates.as_dict(study, workers),
        "refused": estimates.surprise(study),
        "stale": made.first_stale(LISTED).select(pl.exclude("hint")).to_dicts(),
    }
