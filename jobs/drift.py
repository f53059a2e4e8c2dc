"""`nightmill drift`: whether the newest nights of an output are still like those before them."""

from __future__ import annotations

import json
import shlex
from datetime import date, datetime
from typing import Any

import click
import polars as pl
from rich.console import Console

from engine.drift.days import WINDOWS, Days, Period, choose
from engine.drift.find import Drift, find
from engine.drift.measures import LEAST, LEAST_PSI, LIMITS, MOST_P, STABLE
from engine.drift.nights import last_day, module_of, read
from engine.errors import UserError
from engine.results.open import is_backtest
from engine.storage import Store
from jobs import drift_backtest, drift_report, exits, page
from jobs import drift_words as words
from jobs.opened import opened, storage_options
from jobs.options import as_json, taking
from jobs.show import count, draw, text

DAY = click.DateTime(["%Y-%m-%d"])
ADVISED = 3
"""Alarms for which a query is printed."""


@click.command(
    epilog=f"""\b
Examples:
  nightmill drift out
  nightmill drift out --by device,firmware --window 7 --report drift.html
  nightmill drift out --reference 2026-01-01 2026-01-31 --until 2026-03-15 --json

\b
Columns are compared by Kolmogorov–Smirnov and, where both samples have {LEAST_PSI} nights, by PSI; missing
values, bands and reason codes by their shares; movement, pulse, breath, sleep and warmth together by
MMD; daily medians by Page–Hinkley and ADWIN. An alarm is a test that says act in a window and in the
one before it, or two tests of one thing that say act; undisturbed nights give one in at most 1 of
100 checks.
"""
    + exits.MEANING
)
@click.argument("output")
@click.option(
    "--reference", type=(DAY, DAY), metavar="FROM TO", help="Days to compare with [28 before the tested ones]."
)
@click.option("--until", type=DAY, metavar="DATE", help="Last tested day [that of the newest night].")
@click.option("--window", "windows", type=click.IntRange(1, 366), multiple=True, metavar="DAYS", default=WINDOWS,
              show_default=True, help="Length of a tested window; may be repeated.")  # fmt: skip
@click.option("--by", metavar="COLUMN,…", default="", help="Also each group of a text column, such as firmware.")
@click.option("--report", metavar="FILE", help="Write one HTML page with plots of what alarms, too.")
@taking(*storage_options)
@as_json
def command(output: str, as_json: bool, **flags: Any) -> int:
    """Compare the newest nights in OUTPUT with the weeks before: each column, what is missing, quality.

    Reads the nights of the newest finished run, for features those of band A and B, and changes none. A group is
    compared with earlier nights of the same people. Of a backtest, the MASE of the two newest weeks is held against
    that of the weeks before. An alarm ends with exit code 3.
    """
    store = opened(output, flags)
    if is_backtest(store):
        if flags["by"] or flags["reference"] or flags["until"]:
            raise UserError(f"{output}: a backtest: weeks are compared; --by, --reference, --until are of nights")
        return drift_backtest.tell(store, as_json, flags)
    module_id = module_of(store)
    groups = tuple(name.strip() for name in flags["by"].split(",") if name.strip())
    days = _days(last_day(store, module_id), flags["until"], flags["windows"], flags["reference"])
    nights = read(store, module_id, days.whole, groups)
    found = find(nights, days, groups)
    if flags["report"]:
        page.write(flags["report"], drift_report.render(store, module_id, nights, found), flags)
    if as_json:
        click.echo(json.dumps(_plain(module_id, found), default=str))
    else:
        _show(Console(), store, output, found)
        page.tell(flags["report"])
    return exits.BAD_FILES if found.findings["alarm"].any() else exits.FINISHED


def _days(
    newest: date, until: datetime | None, windows: tuple[int, ...], reference: tuple[datetime, datetime] | None
) -> Days:
    given = None if reference is None else Period(reference[0].date(), reference[1].date())
    return choose(newest if until is None else until.date(), tuple(sorted(set(windows))), given)


def _plain(module_id: str, found: Drift) -> dict[str, Any]:
    reference = found.days.reference
    return {
        "module_id": module_id,
        "newest": found.days.newest,
        "reference": [reference.first, reference.last],
        "needed": LEAST,
        "is_enough": found.is_enough,
        "alarms": int(found.findings["alarm"].sum()),
        "compared": found.compared.to_dicts(),
        "findings": found.findings.to_dicts(),
    }


def _show(console: Console, store: Store, output: str, found: Drift) -> None:
    console.print(f"reference  {found.days.reference}", highlight=False)
    for length in found.days.windows:
        newest, before = (found.days.window(length, back) for back in (0, 1))
        console.print(f"tested     {newest}; before it {before}", highlight=False)
    _tell_too_few(console, found)
    if not found.is_enough:
        by_day = "select night_date, band, count(*) from nights group by all order by all"
        _next(console, output, by_day)
        return
    moved = found.findings.filter(pl.col("level") != STABLE)
    alarms = moved.filter("alarm")
    stable = f"{found.findings.height - moved.height:,} of {count(found.findings.height, 'comparison')} are stable"
    draw(console, _rows(store, moved), f"{count(alarms.height, 'alarm')}; {stable}", {}, 30)
    if moved.height:
        _explain(console)
    if alarms.height:
        _advise(console, output, alarms)


def _tell_too_few(console: Console, found: Drift) -> None:
    for row in found.compared.filter(~pl.col("is_enough")).iter_rows(named=True):
        whose = "" if row["by"] is None else f" of {row['by']} {row['group']}"
        console.print(
            f"too few    {count(row['good'], 'night')}{whose} of band A or B (of {row['n']:,}) in the window of "
            f"{count(row['window_d'], 'day')}, {row['good_reference']:,} (of {row['n_reference']:,}) to compare with; "
            f"{LEAST} of each are needed",
            highlight=False,
            soft_wrap=True,
        )


def _rows(store: Store, moved: pl.DataFrame) -> pl.DataFrame:
    """Findings in few columns, for a person."""
    units = words.units_of(store)
    rows = [
        {
            "level": "ALARM" if row["alarm"] else row["level"],
            "nights of": words.whose(row),
            "what": words.subject(row, units),
            "days": str(row["window_d"] or f"each, {row['changed_at']}"),
            "before": row["before"],
            "test": row["test"] if row["window_d"] is None else f"{row['test']} {text(row['statistic'])}",
            "p": row["p"],
            "was → now": words.moved(row),
        }
        for row in moved.iter_rows(named=True)
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def _explain(console: Console) -> None:
    limits = ", ".join(f"{test} {watch:g} and {act:g}" for test, (watch, act) in LIMITS.items() if 0 < watch < act)
    console.print(f"levels     watch and act from {limits} on; ks and share need p < {MOST_P:g} after Holm, mmd its p")
    console.print("alarm      a test says act in this window and in the one before, or two tests of one thing say act")


def _advise(console: Console, output: str, alarms: pl.DataFrame) -> None:
    queries = dict.fromkeys(filter(None, map(words.query, alarms.iter_rows(named=True))))
    for query in list(queries)[:ADVISED]:
        _next(console, output, query)
    if alarms["by"].null_count() == alarms.height:
        console.print("next       --by device,firmware, or a cohort's column, says whose nights moved")


def _next(console: Console, output: str, query: str) -> None:
    console.print(f'next       nightmill query {shlex.quote(output)} "{query}"', soft_wrap=True, highlight=False)
