"""`nightmill drift` of a backtest: whether its newest forecasts err more than those of the weeks before."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from typing import Any

import click
import polars as pl
from rich.console import Console

from engine.backtest.scores.weeks import BY, LEAST, by_week, weeks
from engine.errors import UserError
from engine.results.open import scan
from engine.storage import Store
from jobs import drift_plots as plots
from jobs import exits, page
from jobs.backtest_plots import label
from jobs.backtest_report import newest
from jobs.backtest_tables import digits
from jobs.page import Head, html_row, html_table
from jobs.show import count, draw

SUMS = "origin_sums"
DRAWN = 12
"""Configurations of which a figure is drawn, the worst first."""
_HEADS: tuple[Head, ...] = (
    ("", "", ""), ("vital", "", ""), ("configuration", "", ""), ("weeks", "before", "n"), ("usual", "MASE", "n"),
    ("limit", "", "n"), ("week before", "", "n"), ("newest week", "", "n"), ("what to do next", "", ""),
)  # fmt: skip
NEXT = (
    "Ask nightmill drift of the nights that its series come from: did people, devices or coverage change? If not, "
    "refit more often or over a shorter window, and let the backtest compare."
)


def tell(store: Store, as_json: bool, flags: Mapping[str, Any]) -> int:
    """Draws or prints it; the exit code. Raises `UserError` where the backtest holds no scores."""
    module_id = newest(store, SUMS)
    if module_id is None:
        raise UserError(f"{store.uri}: no scores of a backtest here; `nightmill backtest` makes them")
    origins = scan(store, SUMS, module_id)
    found = weeks(origins)
    alarms = int(found["alarm"].sum())
    if flags["report"]:
        page.write(flags["report"], render(f"{store.uri} · {module_id} · {page.now()}", origins, found), flags)
    if as_json:
        told = {"module_id": module_id, "needed_weeks": LEAST, "alarms": alarms, "weeks": found.to_dicts()}
        click.echo(json.dumps(told))
    else:
        _show(Console(), found)
        page.tell(flags["report"])
    return exits.BAD_FILES if alarms else exits.FINISHED


def render(subtitle: str, origins: pl.LazyFrame, found: pl.DataFrame) -> str:
    """The page. found: `weeks` of origins."""
    weekly, rows = by_week(origins).collect(), found.to_dicts()
    drawn = []
    for row in rows[:DRAWN]:
        same = (pl.col(name).eq_missing(pl.lit(row[name])) for name in BY)
        drawn.append(plots.weeks(row, weekly.filter(*same)))
    note = f"The worst {DRAWN} of {len(rows)}." if len(rows) > DRAWN else ""
    enough = found.filter(pl.col("limit").is_not_null()).height
    totals = {"configurations": len(rows), "with a limit": enough, "alarms": int(found["alarm"].sum())}
    sections = [page.section("Configurations", "", html_table(_HEADS, list(map(_row, rows)), "wide"))]
    sections.append(page.section("Week by week", note, page.grid(drawn, "row small")))
    verdict = f"<p>{_verdict(rows, enough)}</p>"
    return page.render("Drift of forecasts", subtitle, totals, verdict, sections, "drift_weeks_terms.html")


def _verdict(rows: list[dict[str, Any]], enough: int) -> str:
    alarms = [f"{label(row)} ({row['vital']})" for row in rows if row["alarm"]]
    if alarms:
        first = escape(", ".join(alarms[:3])) + (f" and {len(alarms) - 3} more" if len(alarms) > 3 else "")
        return f'<b class="warn">{count(len(alarms), "alarm")}.</b> Two weeks above their limit: {first}.'
    if not enough:
        return f"<b>Nothing could be compared.</b> {LEAST} weeks before the newest two are needed."
    return '<b class="good">No alarm.</b> No configuration errs more in the newest two weeks than its weeks before.'


def _row(row: Mapping[str, Any]) -> str:
    told = "ALARM" if row["alarm"] else ""
    figures = [(digits(row[name]), "n") for name in ("usual", "limit", "before", "now")]
    cells = [(told, "warn"), (escape(row["vital"]), ""), (escape(label(row)), ""), (row["weeks"], "n"), *figures]
    return html_row([*cells, (NEXT if row["alarm"] else "", "text")])


def _show(console: Console, found: pl.DataFrame) -> None:
    enough = found.filter(pl.col("limit").is_not_null())
    left_out = found.height - enough.height
    if left_out:
        most = max(found["weeks"].to_list())
        console.print(
            f"too few    {count(left_out, 'configuration')} with up to {count(most, 'week')} before the newest two; "
            f"{LEAST} are needed",
            highlight=False,
            soft_wrap=True,
        )
    if enough.height:
        draw(console, enough, f"{count(int(enough['alarm'].sum()), 'alarm')}; MASE by week", {}, 30)
        console.print("alarm      the newest week and the one before are above the limit: usual + 3 robust deviations")
