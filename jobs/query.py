"""`nightmill query`: SQL over all tables of an output."""

from __future__ import annotations

import sys

import click
import polars as pl
from rich.console import Console

from engine.results.query import query
from jobs.flat import as_json as written
from jobs.flat import flat
from jobs.opened import opened, storage_options
from jobs.options import as_json, taking
from jobs.show import count, draw


@click.command(
    epilog="""\b
Examples:
  nightmill query out "select subject_id, night_date, hr_median, band from nights order by 1, 2"
  nightmill query out "select status, count(*) from files group by 1" --csv
  nightmill query out "select module_id, avg(hr_median) from nights_all group by 1"
"""
)
@click.argument("output")
@click.argument("sql")
@click.option("--rows", default=40, show_default=True, help="Rows to draw.")
@click.option("--csv", "as_csv", is_flag=True, help="All rows as CSV on stdout.")
@taking(*storage_options)
@as_json
def command(output: str, sql: str, rows: int, as_csv: bool, as_json: bool, **flags: str | None) -> int:
    """Run SQL (DuckDB) over the tables of OUTPUT.

    nights, epochs and vitals show the newest finished run's version of the module and, of a night that several units
    of work hold, the best; nights_all, epochs_all and vitals_all show everything.
    """
    frame = pl.DataFrame(pl.from_arrow(query(opened(output, flags), sql)))
    if as_csv:
        sys.stdout.write(flat(frame).write_csv())
    elif as_json:
        click.echo(written(frame))
    else:
        draw(Console(), frame, count(frame.height, "row"), {}, rows)
    return 0
