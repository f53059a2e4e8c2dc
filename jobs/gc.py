"""`nightmill gc`: list, and with --yes delete, the files that an output no longer needs."""

from __future__ import annotations

import json
import math
from dataclasses import asdict

import click
import polars as pl
from rich.console import Console

from engine import ledger
from engine.backtest import retention
from engine.batches import MOST_WORKS
from engine.gc import FLOOR_H, Waste, collect, find
from engine.storage import Store
from jobs.opened import opened, storage_options
from jobs.options import as_json, taking
from jobs.show import count, draw, size

AGE_H = 168
SENDINGS = 3
"""So often may a batch be sent until the run stops."""


@click.command(
    epilog="""\b
Examples:
  nightmill gc out
  nightmill gc out --older-than 48 --yes
  nightmill gc out --params-days 30 --yes
"""
)
@click.argument("output")
@click.option("--older-than", type=int, metavar="HOURS", help=f"Least age of files that go [{AGE_H}].")
@click.option(
    "--params-days",
    type=click.FloatRange(min=0),
    metavar="DAYS",
    help="Instead of files: parameters of a backtest's fits with a cutoff so many days before the newest.",
)
@click.option("--yes", is_flag=True, help="Delete; without it, only say what would go.")
@taking(*storage_options)
@as_json
def command(
    output: str, older_than: int | None, params_days: float | None, yes: bool, as_json: bool, **flags: str | None
) -> int:
    """List the files of OUTPUT that no reader of its present state needs: orphans of killed runs, and old versions.

    Deleting old files ends the reading of earlier versions of a table; the rows of the present one never change, unless
    you ask for --params-days: then old fits of a backtest lose their parameters and cannot be reloaded any more. All
    else of them stays, and nothing is fitted again. The bytes go when the old files do, with a later gc.
    """
    store = opened(output, flags)
    if params_days is not None:
        if older_than is not None:
            raise click.UsageError("--params-days takes no --older-than: files go with a gc of their own")
        return _params(store, params_days, yes, as_json)
    age_h = AGE_H if older_than is None else older_than
    found = (collect if yes else find)(store, age_h, floor_h(store))
    if as_json:
        click.echo(json.dumps([asdict(waste) for waste in found]))
        return 0
    if not found:
        click.echo(f"no garbage of {age_h} h or more")
        return 0
    draw(Console(), summary(found), "deleted" if yes else "garbage", {})
    if not yes:
        click.echo(f"nothing was deleted; --yes deletes {count(len(found), 'file')}")
    return 0


def _params(store: Store, days: float, yes: bool, as_json: bool) -> int:
    """Retention of parameters."""
    found = (retention.drop if yes else retention.find)(store, days)
    if as_json:
        click.echo(json.dumps(asdict(found), default=str))
        return 0
    age = f"with a cutoff before {found.before:%Y-%m-%d %H:%M} UTC"
    what = f"parameters of {count(found.fits, 'fit')} {age}"
    if not found.fits:
        click.echo(f"no fit {age} has parameters")
    elif yes:
        click.echo(f"dropped the {what}: {size(found.size_bytes)} of JSON")
    else:
        click.echo(f"{what} would go: {size(found.size_bytes)} of JSON; --yes drops them")
    return 0


def floor_h(store: Store) -> int:
    """Hours that the longest batch of any run of this output may have taken, and at least a day."""
    limits = [json.loads(text or "{}").get("limits", {}).get("seconds", 0.0) for text in ledger.runs(store)["config"]]
    return max(FLOOR_H, math.ceil(max(limits, default=0.0) * MOST_WORKS * SENDINGS / 3600))


def summary(found: list[Waste]) -> pl.DataFrame:
    """Files and bytes by kind and table."""
    frame = pl.DataFrame([asdict(waste) for waste in found])
    counted = frame.group_by("kind", "table").agg(files=pl.len(), size_bytes=pl.col("size_bytes").sum())
    sized = counted.with_columns(size=pl.col("size_bytes").map_elements(size, pl.String))
    return sized.sort("kind", "table").drop("size_bytes")
