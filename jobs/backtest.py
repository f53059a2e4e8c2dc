"""`nightmill backtest`: models × windows × refits over many series, every distinct fit once."""

from __future__ import annotations

import json
from typing import Any

import click
from rich.console import Console

from engine.running.progress import RunSummary
from jobs import backtest_report, exits
from jobs.backtest_flags import backtest_options, settings
from jobs.backtest_run import carry_out, re_serve
from jobs.leaders import NOT_COMPARABLE, as_dict, show_leaders
from jobs.options import as_json, taking
from jobs.progress_json import JSON, progress_option, shown
from jobs.show import span
from jobs.sweep import prepare
from jobs.sweep_plan import show_sweep
from jobs.workers import number_of

NOUN = "span"
"""What a backtest's progress counts: the fits of one model over some days of one series."""


@click.command(
    epilog="""\b
Examples:
  nightmill backtest nightmill-out -o bt                         vitals of a reprocessing
  nightmill backtest m4.csv -o bt --models seasonal_naive,auto_ets --windows 168,336 --refits 1,24
  nightmill backtest backtest.yaml --workers 8
  nightmill plan backtest.yaml                                   what it would do, and what it would cost
  nightmill backtest backtest.yaml --what-if other.yaml          another serving of the same fits

The same command again does only what is new or changed, and goes on after a crash or an interruption.
"""
    + exits.MEANING
)
@taking(*backtest_options)
@click.option("--what-if", metavar="SETTINGS", help="Serve the stored fits as this file's `serving:` says; no new fit.")
@progress_option
@as_json
def command(what_if: str | None, as_json: bool, progress: str, **flags: Any) -> int:
    """Fit, forecast and score every configuration over SERIES, and rank the configurations.

    SERIES is an output of `nightmill reprocess`, a long table (CSV, Parquet) or wide files. A fit that raises, hangs or
    crashes costs itself only: it gets a row that says so.
    """
    console = Console(stderr=as_json, quiet=as_json and progress == JSON)
    told = settings(flags)
    with shown(progress, console, NOUN) as listener:
        if what_if is not None:
            output, served = re_serve(told, what_if, listener)
        else:
            study = prepare(told, listener)
            show_sweep(console, study, number_of(told))
            output, served = study.output, carry_out(study, listener)
    report = backtest_report.make(output, served.serve_id, served.fits_id)
    output.write(backtest_report.NAME, report.page.encode())
    if as_json:
        click.echo(json.dumps(as_dict(served, report.found.board), default=str))
    else:
        show_leaders(console, report.found.board)
        if not served.is_comparable:
            console.print(NOT_COMPARABLE, soft_wrap=True)
        _show_end(console, output.uri, served.summaries)
    return exits.BAD_FILES if any(one.bad for one in served.summaries) else exits.FINISHED


def _show_end(console: Console, output: str, summaries: list[RunSummary]) -> None:
    if not summaries:
        console.print("nothing to do: every fit and forecast is up to date")
    for one in summaries:
        rows = ", ".join(f"{name} {number:,}" for name, number in sorted(one.rows.items()) if number)
        console.print(f"run {one.run_id}: {one.state} in {span(one.seconds)} · rows: {rows or 'none'}", soft_wrap=True)
    console.print(f"output     {output}", soft_wrap=True)
    console.print(f"report     {output}/{backtest_report.NAME}", soft_wrap=True)
    console.print(f'next       nightmill query {output} "select * from scores"', soft_wrap=True, highlight=False)
