"""A backtest's report: one HTML file that needs nothing else, no script, no network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import polars as pl

from engine import ledger
from engine.backtest.scores.findings import TABLES, Asked, Findings, find
from engine.errors import UserError
from engine.results.open import scan
from engine.storage import Store
from engine.tables import delta
from jobs import backtest_plots as plots
from jobs import backtest_tables as tables
from jobs import page

NAME = "report.html"
"""Where `nightmill backtest` puts it, in the output."""

INTERVALS = (
    "Share of observations between q10 and q90, by step; dashed: the 80 % that they promise. Band: Wilson's 95 % "
    "interval, as if rows were independent; they are not, so it is the least uncertainty."
)
DIFFERENCES = (
    "Diebold–Mariano statistics with the correction of Harvey, Leybourne and Newbold, on scaled errors averaged over "
    "series at each distance from their ends. Negative: the row's configuration errs less than the column's. Coloured "
    "where Holm's p, over all these pairs, is below 0.05."
)
CLINICAL = (
    "Severity of forecast against actual values (mild, moderate, severe), scored on the parameters of NEWS2 that were "
    "observed at that hour; nothing is assumed of the others. A severe hour without a forecast is a missed one, except "
    "at origins where nothing is to be published. Lead: how many hours ahead every forecast said that severity would "
    "rise to severe."
)


@dataclass(frozen=True, slots=True)
class Report:
    """What was found, and the HTML page that shows it."""

    found: Findings
    page: str


def make(
    output: Store, serving: str | None = None, fits: str | None = None, asked: Asked | None = None, title: str = ""
) -> Report:
    """The report of an output. serving, fits: module ids of the two steps; the newest runs' if None.

    Raises `UserError` where the output holds no scores.
    """
    serving = serving or newest(output, "series_scores")
    fits = fits or newest(output, "fits")
    if serving is None:
        raise UserError(f"{output.uri}: no scores of a backtest here; `nightmill backtest` makes them")
    frames = {
        name: scan(output, name, fits if name == "fits" else serving)
        for name in TABLES
        if delta.open_table(output, name) is not None
    }
    asked = asked or _asked(output, serving)
    found = find(frames, asked)
    return Report(found, render(found, title or "Backtest", f"{output.uri} · {serving} · {page.now()}"))


def newest(output: Store, table: str) -> str | None:
    """module_id of the newest run that has rows in a table; None without such a table."""
    if delta.open_table(output, table) is None:
        return None
    held = set(scan(output, table).select("module_id").unique().collect()["module_id"])
    ran = [one for one in ledger.runs(output)["module_id"].to_list() if one in held]
    return ran[-1] if ran else max(held, default=None)


def render(found: Findings, title: str, subtitle: str) -> str:
    """Findings as HTML."""
    return page.render(title, subtitle, found.totals, tables.verdict(found), _sections(found), "backtest_terms.html")


def _sections(found: Findings) -> list[str]:
    one_vital = len(found.boards) == 1
    by_vital = "".join(
        f"<details><summary>{escape(vital)}</summary>{tables.board(board, True)}</details>"
        for vital, board in found.boards.items()
    )
    basis = "common origins" if found.board.basis == "common" else "all origins (none are common)"
    curves = [plots.by_step(found), plots.by_choice(found, "window_h"), plots.by_choice(found, "refit_h")]
    curves += [plots.by_age(found), plots.aging(found)]
    board = tables.board(found.board, one_vital) + ("" if one_vital else by_vital)
    return [
        page.section("Leaderboard", f"By MASE on {basis}, all vitals together.", board),
        page.section("Error curves", "", page.grid(curves)),
        "" if one_vital else page.section("Error by step and vital", "", page.grid(plots.by_vital_step(found))),
        page.section("Cost", "", page.grid([plots.pareto(found), tables.front(found)], "row wide")),
        page.section("Intervals", INTERVALS, page.grid(plots.coverage(found), "row small")),
        page.section("Fits", "What became of every attempted fit.", tables.statuses(found) + tables.origins(found)),
        page.section("Differences", DIFFERENCES, tables.difference(found)),
        page.section("Clinical agreement", CLINICAL, tables.clinical(found)),
    ]


def _asked(output: Store, serving: str) -> Asked:
    """Cadence of the origins, as the run recorded it."""
    runs = ledger.runs(output).filter(pl.col("module_id") == serving)
    told: Mapping[str, Any] = json.loads(runs["parameters"][-1] or "{}") if len(runs) else {}
    return Asked(every_h=int(told.get("every_h", 1)), phase_h=int(told.get("phase_h", 0)))
