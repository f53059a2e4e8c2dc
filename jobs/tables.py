"""`nightmill tables`: the tables of an output, and what each column means."""

from __future__ import annotations

import click
import polars as pl
from rich.console import Console

from engine.results.open import scan, tables
from jobs.opened import opened, storage_options
from jobs.options import as_json, taking
from jobs.show import draw


@click.command(
    epilog="""\b
Examples:
  nightmill tables out
  nightmill tables out nights
"""
)
@click.argument("output")
@click.argument("table", required=False)
@taking(*storage_options)
@as_json
def command(output: str, table: str | None, as_json: bool, **flags: str | None) -> int:
    """List the tables of OUTPUT, or document the columns of one: unit, meaning, least data, source."""
    store = opened(output, flags)
    if table is None:
        named = tables(store)
        columns = [", ".join(scan(store, name).collect_schema().names()) for name in named]
        frame = pl.DataFrame({"table": named, "columns": columns})
    else:
        scan(store, table)
        frame = scan(store, "dictionary").filter(pl.col("table") == table).drop("table").collect()
    if as_json:
        click.echo(frame.write_json())
    else:
        draw(Console(), frame, table or "tables", {}, 500)
    return 0
