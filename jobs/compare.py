"""`nightmill compare`: what changed between two module versions in one output."""

from __future__ import annotations

import json
from typing import Any

import click
import polars as pl
from rich.console import Console

from engine.results import compare
from engine.storage import Store
from jobs.opened import opened, storage_options
from jobs.options import as_json, taking
from jobs.show import draw

CATEGORIES = ("band",)


@click.command(
    epilog="""\b
Examples:
  nightmill compare out night-0a1b2c3d4e5f night-9f8e7d6c5b4a
  nightmill compare out 0a1b 9f8e --table epochs
"""
)
@click.argument("output")
@click.argument("a")
@click.argument("b")
@click.option("--table", "named", metavar="NAME", multiple=True, help="This table [all of one row a night or hour].")
@taking(*storage_options)
@as_json
def command(output: str, a: str, b: str, named: tuple[str, ...], as_json: bool, **flags: str | None) -> int:
    """Compare two module versions (or unambiguous parts of their ids; `nightmill status` lists them) in OUTPUT.

    For each column over the rows that both have: median and 95th percentile of the difference B − A, share of rows that
    changed; then bands and file statuses that moved.
    """
    store = opened(output, flags)
    one, other = compare.version(store, a), compare.version(store, b)
    told = {name: _table(store, name, one, other) for name in named or compare.comparable(store, one, other)}
    moved = compare.statuses(store, one, other)
    if as_json:
        about = {name: {key: _plain(value) for key, value in found.items()} for name, found in told.items()}
        click.echo(json.dumps({"a": one, "b": other, "tables": about, "statuses": moved.to_dicts()}))
        return 0
    console = Console()
    console.print(f"A {one}\nB {other}", highlight=False)
    for name, found in told.items():
        console.print(
            f"{name}: {found['pairs']:,} rows in both, {found['only_a']:,} only in A, {found['only_b']:,} in B"
        )
        draw(console, found["features"], "difference B − A", {}, 200)
        for column in CATEGORIES:
            if column in found:
                draw(console, found[column], f"{column}s that moved", {}, 50)
    draw(console, moved, "statuses that moved" if moved.height else "no status moved", {}, 50)
    return 0


def _table(store: Store, name: str, a: str, b: str) -> dict[str, Any]:
    pairs, _ = compare.pair(store, name, a, b)
    only_a, only_b = compare.unmatched(store, name, a, b, pairs.height)
    found = {"pairs": pairs.height, "only_a": only_a, "only_b": only_b, "features": compare.features(pairs)}
    return found | {column: compare.moves(pairs, column) for column in CATEGORIES if f"{column}:b" in pairs.columns}


def _plain(value: object) -> object:
    return value.to_dicts() if isinstance(value, pl.DataFrame) else value
