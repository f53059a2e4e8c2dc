"""`nightmill errors`: which files gave less than they should, and why."""

from __future__ import annotations

import click
import polars as pl
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from engine import ledger
from engine.results.open import current
from engine.results.summary import errors
from engine.storage import Store
from jobs.opened import opened, storage_options
from jobs.options import as_json, taking
from jobs.reproduce import commands
from jobs.show import count, draw


def listed(entries: pl.DataFrame) -> pl.DataFrame:
    """Files that are not ok, one row each."""
    bad = entries.filter(pl.col("status") != "ok").sort("file")
    return bad.select("file", "source_id", "status", "cause", "reasons", "message")


@click.command(
    epilog="""\b
Examples:
  nightmill errors out
  nightmill errors out --files
  nightmill errors out --traceback P01/1774645200_A7B3C1.zip
"""
)
@click.argument("output")
@click.option("--files", "each", is_flag=True, help="One line a file instead of one a kind of trouble.")
@click.option("--traceback", "name", metavar="FILE", help="What a module raised over this file.")
@taking(*storage_options)
@as_json
def command(output: str, each: bool, name: str | None, as_json: bool, **flags: str | None) -> int:
    """Show the files of the newest run's module that were not ok, by kind of trouble.

    Each kind has one example and the command that does that file again, alone and in this process.

    `rejected` is bad data, `partial` data of which a part was usable, `failed` a module that raised, `quarantined` a
    file that used too much time or memory or ended the process.
    """
    store = opened(output, flags)
    entries = ledger.entries(store).filter(pl.col("module_id").is_in(current(store)))
    if name is not None:
        return _traceback(entries, name)
    frame = listed(entries) if each else kinds(store, entries)
    if as_json:
        click.echo(frame.write_json())
    elif frame.is_empty():
        click.echo("the one file is ok" if entries.height == 1 else f"all {entries.height:,} files are ok")
    elif each:
        draw(Console(), frame, _not_ok(frame.height, entries.height), {}, 10_000)
    else:
        show_kinds(Console(), frame, entries.height)
    return 0


def kinds(store: Store, entries: pl.DataFrame) -> pl.DataFrame:
    """One row a kind of trouble, with `reproduce`: the command that does its example again."""
    found = errors(store)
    return found.with_columns(commands(found["example"], entries, ledger.runs(store)))


def show_kinds(console: Console, found: pl.DataFrame, files: int) -> None:
    """Lines for each kind of trouble: how many files and which codes, one of them in words, and how to see it again."""
    console.print(_not_ok(int(found["files"].sum()), files), style="bold")
    for row in found.iter_rows(named=True):
        cause = f" ({row['cause']})" if row["cause"] not in (None, "data") else ""
        console.print(f"{row['files']:>6,}  {row['status']}{cause}  {row['reasons'] or ''}", highlight=False)
        words = Text(f"{row['example']}: {row['message'] or ''}", "dim")
        console.print(Padding(words, (0, 0, 0, 8)))
        if row["reproduce"]:
            console.print(f"        {row['reproduce']}", highlight=False, markup=False, soft_wrap=True)


def _not_ok(bad: int, files: int) -> str:
    return f"{bad:,} of {count(files, 'file')} {'is' if bad == 1 else 'are'} not ok"


def _traceback(entries: pl.DataFrame, name: str) -> int:
    rows = entries.filter(pl.col("file") == name)
    if rows.is_empty():
        raise click.UsageError(f"{name} is not in the ledger; `nightmill errors OUT --files` lists what is")
    row = rows.row(0, named=True)
    click.echo(row["traceback"] or f"{name}: {row['status']}, no traceback. {row['message'] or ''}")
    return 0
