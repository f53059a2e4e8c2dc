"""`nightmill report`: the report of a backtest, again."""

from __future__ import annotations

import click

from jobs import backtest_report, page
from jobs.opened import opened, storage_options
from jobs.options import taking


@click.command(
    epilog="""\b
Examples:
  nightmill report out
  nightmill report out --to report.html --title "Wave 2"
"""
)
@click.argument("output")
@click.option("--to", "target", metavar="FILE", help="Where to write it.  [default: report.html in OUTPUT]")
@click.option("--title", default="Backtest", show_default=True, help="Heading of the page.")
@taking(*storage_options)
def command(output: str, target: str | None, title: str, **flags: str | None) -> int:
    """Write the report of the newest backtest in OUTPUT: one HTML file that needs nothing else.

    Leaderboard, error curves, cost against error, coverage of intervals, fates of fits, tests of differences, clinical
    agreement.
    """
    store = opened(output, flags)
    made = backtest_report.make(store, title=title)
    if target is None:
        store.write(backtest_report.NAME, made.page.encode())
        click.echo(f"{store.uri}/{backtest_report.NAME}")
        return 0
    page.write(target, made.page, flags)
    click.echo(target)
    return 0
