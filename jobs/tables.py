"""`nightmill tables`: the tables of an output, and what each column means."""

from __future__ import annotations

import click
import polars as pl
import pyarrow as pa
from rich.console import Console

from engine.results.open import scan, tables
from engine.storage import Store
from engine.tables import delta
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
    """List the tables of OUTPUT, or document the columns of one: unit, meaning, least data, source.

    With --json, the types of its columns, too."""
    store = opened(output, flags)
    if table is None:
        named = tables(store)
        columns = [", ".join(scan(store, name).collect_schema().names()) for name in named]
        frame = pl.DataFrame({"table": named, "columns": columns})
    else:
        kinds = pl.DataFrame(_types(store, table), {"column": pl.String, "type": pl.String}, orient="row")
        told = scan(store, "dictionary").filter(pl.col("table") == table).drop("table").collect()
        frame = kinds.join(told, on="column", how="left", maintain_order="left")
    if as_json:
        click.echo(frame.write_json())
    else:
        draw(Console(), frame.drop("type", strict=False), table or "tables", {}, 500)  # it would squeeze the meaning
    return 0


def _types(store: Store, table: str) -> list[tuple[str, str]]:
    """Columns and what Arrow calls their types, in the order of the table."""
    scan(store, table)  # which names the tables that there are, where this is none
    handle = delta.open_table(store, table)
    return [(field.name, str(field.type)) for field in pa.schema(handle.schema().to_arrow())] if handle else []
