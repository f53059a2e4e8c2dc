"""One HTML page that needs nothing else: no script, no network. What all reports have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from string import Template
from typing import Any

import click

from engine.storage import Store, split_uri
from jobs.opened import store_options

TEMPLATES = Path(__file__).parent / "templates"
Head = tuple[str, str, str]
"""Name, unit or more, and class of a column."""


def render(
    title: str, subtitle: str, totals: Mapping[str, int], verdict: str, sections: Sequence[str], terms: str
) -> str:
    """The page. verdict, sections: HTML. terms: name of the template that says how to read it."""
    tiles = "".join(f"<div><b>{n:,}</b><span>{escape(name)}</span></div>" for name, n in totals.items())
    return Template(_template("report.html")).substitute(
        title=escape(title),
        subtitle=escape(subtitle),
        css=_template("report.css"),
        tiles=tiles,
        verdict=verdict,
        sections="".join(sections),
        terms=_template(terms),
    )


def section(title: str, note: str, body: str) -> str:
    told = f'<p class="note">{escape(note)}</p>' if note else ""
    return f"<h2>{escape(title)}</h2>{told}{body}"


def grid(figures: Sequence[str], kind: str = "row") -> str:
    return f'<div class="{kind}">{"".join(figures)}</div>'


def figure(title: str, note: str, body: str, kind: str = "") -> str:
    return f'<figure class="{kind}"><h3>{escape(title)}</h3><p>{escape(note)}</p>{body}</figure>'


def html_row(cells: Sequence[tuple[Any, str]], kind: str = "") -> str:
    """cells: HTML and class of each."""
    body = "".join(f'<td class="{style}">{cell}</td>' if style else f"<td>{cell}</td>" for cell, style in cells)
    return f'<tr class="{kind}">{body}</tr>' if kind else f"<tr>{body}</tr>"


def html_table(heads: Sequence[Head], rows: Sequence[str], kind: str = "") -> str:
    named = "".join(f'<th class="{style}">{head}<small>{unit}</small></th>' for head, unit, style in heads)
    return f'<div class="scroll"><table class="{kind}"><tr>{named}</tr>{"".join(rows)}</table></div>'


def write(target: str, page: str, flags: Mapping[str, Any]) -> None:
    """To a file on a disk or in a bucket. flags: those of the storage."""
    folder, name = split_uri(target if "://" in target else str(Path(target).absolute()))
    Store(folder, store_options(flags)).write(name, page.encode())


def tell(target: str | None) -> None:
    if target:
        click.echo(f"report     {target}")


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _template(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")
