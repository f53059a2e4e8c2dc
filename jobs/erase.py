"""`nightmill erase`: take one subject out of an output, its history and its records."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from engine.backtest import erase as backtest
from engine.erase import Erased, erase, find
from engine.results.open import is_backtest
from jobs.opened import opened, storage_options
from jobs.options import as_json, taking
from jobs.show import count
from jobs.sweep import FROZEN


@click.command(
    epilog="""\b
Examples:
  nightmill erase out --subject P07
  nightmill erase out --subject P07 --yes
"""
)
@click.argument("output")
@click.option("--subject", required=True, metavar="ID", help="Whose rows go.")
@click.option("--yes", is_flag=True, help="Erase; without it, only say what would go.")
@taking(*storage_options)
@as_json
def command(output: str, subject: str, yes: bool, as_json: bool, **flags: str | None) -> int:
    """Take every row of a subject out of OUTPUT: all tables, module versions, earlier table versions and records.

    Earlier versions of the tables can no longer be read afterwards. Remove the subject's raw files from the inputs
    first: the next reprocess brings back whom they still hold. Of a backtest, what was served and scored of others
    together with the subject goes, too; the next `nightmill backtest` makes it again without a new fit.
    """
    store = opened(output, flags)
    of_backtest = is_backtest(store)
    if yes:
        told = backtest.erase(store, subject, FROZEN) if of_backtest else erase(store, subject)
    else:
        found = backtest.find(store, subject, FROZEN) if of_backtest else find(store, subject)
        told = Erased(found, 0, 0, ())
    if as_json:
        click.echo(json.dumps({"erased": yes, **asdict(told)}))
        return 0
    wide = max(map(len, told.rows), default=0)
    for name, rows in sorted(told.rows.items()):
        click.echo(f"{name:<{wide}}  {count(rows, 'row')}")
    if not (told.rows or told.files or told.inventory_rows):
        click.echo(f"no rows of {subject}")
        return 0
    if not yes:
        click.echo("nothing was erased; --yes erases this and its history")
        return 0
    click.echo(f"erased, with {count(told.files, 'file')} of earlier versions; what this cannot reach:")
    for one in told.remains:
        click.echo(f"  {one}")
    if of_backtest and told.rows:
        click.echo("next: the same `nightmill backtest` command again, to serve and score the others")
    return 0
