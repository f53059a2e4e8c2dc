"""`nightmill drift` of a backtest: whether its newest forecasts err more than those of the weeks before."""

from __future__ import annotations

import json

import click
import polars as pl
from rich.console import Console

from engine.backtest.scores.weeks import LEAST, weeks
from engine.errors import UserError
from engine.results.open import scan
from engine.storage import Store
from jobs import exits
from jobs.backtest_report import newest
from jobs.show import count, draw

SUMS = "origin_sums"


def tell(store: Store, as_json: bool) -> int:
    """Draws or prints it; the exit code. Raises `UserError` where the backtest holds no scores."""
    module_id = newest(store, SUMS)
    if module_id is None:
        raise UserError(f"{store.uri}: no scores of a backtest here; `nightmill backtest` makes them")
    found = weeks(scan(store, SUMS, module_id))
    alarms = int(found["alarm"].sum())
    if as_json:
        told = {"module_id": module_id, "needed_weeks": LEAST, "alarms": alarms, "weeks": found.to_dicts()}
        click.echo(json.dumps(told))
    else:
        _show(Console(), found)
    return exits.BAD_FILES if alarms else exits.FINISHED


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
