"""`nightmill status`: what an output holds."""

from __future__ import annotations

import json
from typing import Any

import click
import polars as pl
from rich.console import Console

from engine import ledger
from engine.module import Status
from engine.results.open import current, newest, scan, tables
from engine.results.summary import history
from engine.storage import Store
from jobs.baselines import OLD, are_old
from jobs.opened import opened, storage_options
from jobs.options import as_json, taking
from jobs.show import draw


@click.command(
    epilog="""\b
Example:
  nightmill status out
"""
)
@click.argument("output")
@taking(*storage_options)
@as_json
def command(output: str, as_json: bool, **flags: str | None) -> int:
    """Show the runs, the files of each module version by status, and the rows of each table.

    `*` marks the version that `nightmill query` shows as nights, epochs and vitals.
    """
    store = opened(output, flags)
    runs = history(store)
    files, rows, held = by_version(ledger.entries(store)), row_counts(store), current(store)
    if as_json:
        told = {"runs": runs.to_dicts(), "files": files.to_dicts(), "rows": rows.to_dicts()}
        click.echo(json.dumps({"newest": newest(store), "current": held} | told, default=str))
        return 0
    console = Console()
    marked = files.with_columns(
        pl.when(pl.col("module_id").is_in(held)).then(pl.lit("*")).otherwise(pl.lit("")).alias("")
    )
    draw(console, runs.sort("run_id", descending=True), "runs, newest first", {}, 10)
    draw(console, marked, "files by status", {})
    draw(console, rows, "rows", {}, 100)
    if are_old(store):
        console.print(f"next       nightmill baselines {output}     {OLD}", soft_wrap=True)
    return 0


def by_version(entries: pl.DataFrame) -> pl.DataFrame:
    """One row a module version: how many of its files have each status."""
    counted = entries.group_by("module_id", "status").agg(files=pl.len())
    wide = counted.pivot("status", index="module_id", values="files").fill_null(0).sort("module_id")
    known = [name for name in Status if name in wide.columns]
    return wide.select("module_id", *known)


def row_counts(store: Store) -> pl.DataFrame:
    """Rows of each table and module version."""
    counts: list[dict[str, Any]] = []
    for name in tables(store):
        frame = scan(store, name)
        keys = ["module_id"] if "module_id" in frame.collect_schema().names() else []
        found = frame.group_by(keys).agg(rows=pl.len()) if keys else frame.select(rows=pl.len())
        counts += [{"table": name, "module_id": None, **row} for row in found.collect().sort(keys or "rows").to_dicts()]
    return pl.DataFrame(counts, schema={"table": pl.String, "module_id": pl.String, "rows": pl.Int64})
