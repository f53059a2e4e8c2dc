"""`nightmill baselines`: each person's nights against that person's own earlier nights."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

import click
import polars as pl
from rich.console import Console

from configs.read import load
from configs.settings import Settings
from engine import ledger
from engine.commit import WORK_LEDGER, recover
from engine.errors import UserError
from engine.events import Listener, PlanMade
from engine.identity import Identity
from engine.longitudinal.nights import NEEDED
from engine.longitudinal.plan import NIGHTS, plan
from engine.longitudinal.tables import LEAST, MOST
from engine.longitudinal.work import Baselines, refer
from engine.results.open import current, is_backtest, newest, newest_with, scan, tables
from engine.run import RunSettings, run
from engine.running.progress import CommitSettings, RunSummary
from engine.running.record import refuse_if_running
from engine.schemas import BAD
from engine.storage import Store
from engine.tables.overlap import live_parts
from jobs import exits
from jobs.opened import opened, storage, storage_options
from jobs.options import as_json, taking
from jobs.progress_json import JSON, progress_option, shown
from jobs.show import count, draw, span
from jobs.workers import lend, limits

NOUN = "range"
"""What progress counts: some hundred persons, neighbours by name."""
RANGES_A_BATCH = 1
"""Its rows are in memory until they are written, so no more."""
OLD = "the baselines are of earlier nights"
FAR = 3.0
"""Deviations beyond this are counted as far."""


@click.command(
    epilog="""\b
Examples:
  nightmill baselines out
  nightmill query out "select * from baselines where feature = 'rhr_p10' and dev_z > 3"
  nightmill query out "select subject_id, night_date, reported_date, rise from shifts"

The same command again does only persons whose nights changed, and goes on after a crash or an interruption.
"""
    + exits.MEANING
)
@click.argument("output")
@click.option("--workers", type=int, metavar="N", help="Worker processes [one a core].")
@click.option("--in-process", is_flag=True, help="No cluster and no guard: one range after the other, here.")
@taking(*storage_options)
@progress_option
@as_json
def command(output: str, as_json: bool, progress: str, **flags: Any) -> int:
    """Hold every night in OUTPUT against the same person's 28 nights before, and find shifts of temperature.

    Reads the nights of the newest finished run and writes the tables `baselines` and `shifts` beside them. Only nights
    of band A and B enter a baseline; nothing that comes after a night changes what is said of it.
    """
    console = Console(stderr=as_json, quiet=as_json and progress == JSON)
    store = opened(output, flags)
    with shown(progress, console, NOUN) as listener:
        held = hold(store, _settings(output, flags), listener)
    features, shifts = by_feature(store, held.module_id), _rows(store, "shifts", held.module_id)
    if as_json:
        done = None if held.summary is None else asdict(held.summary)
        told = {"module_id": held.module_id, "reads_from": held.reads_from, "run": done}
        click.echo(json.dumps(told | {"shifts": shifts, "features": features.to_dicts()}))
    else:
        _show(console, held, features, shifts)
    return exits.BAD_FILES if held.summary and held.summary.bad else exits.FINISHED


@dataclass(frozen=True, slots=True)
class Held:
    """What was done. summary: None where there was nothing to do."""

    module_id: str
    reads_from: str
    summary: RunSummary | None


def hold(store: Store, told: Settings, listener: Listener) -> Held:
    """The whole step over an output. Raises `UserError` where it has no nights."""
    refuse_if_running(store)
    after = recover(store, listener)
    reads_from = _with_nights(store)
    mapped, identity = refer(Baselines(reads_from))
    todo = plan(store, reads_from, identity.module_id, told.retry)
    listener(PlanMade(todo.count, todo.count, 0, todo.done))
    if not (todo.count or todo.shared_removals) and _is_shown(store, identity):
        return Held(identity.module_id, reads_from, None)
    how = RunSettings(
        limits=limits(told),
        commits=CommitSettings(told.commit.seconds, round(told.commit.mb * 1e6)),
        max_failures=told.max_failures,
        batch_works=RANGES_A_BATCH,
        config=told.model_dump_json(),
        ledger=WORK_LEDGER,
    )
    with lend(told, todo.count, listener) as executor:
        summary = run(identity, mapped, todo, store, executor, how, listener, after=after)
    return Held(identity.module_id, reads_from, summary)


def are_old(store: Store) -> bool:
    """Whether an output has baselines, and nights of the newest finished run that these do not know."""
    held = newest(store)
    if held is None or not {"baselines", NIGHTS} <= set(tables(store)) or not live_parts(store, NIGHTS, held):
        return False
    todo = plan(store, held, refer(Baselines(held))[1].module_id)
    return bool(todo.count or todo.shared_removals)


def by_feature(store: Store, module_id: str) -> pl.DataFrame:
    """One row a feature: how many nights have it, are compared, lie far out, and why the others are not compared."""
    compared = pl.col("dev_z").is_not_null().sum()
    reasons = (pl.col("reason").eq(code).sum().alias(code.lower()) for code in ("NO_VALUE", "REJECTED", "FEW_NIGHTS"))
    far = pl.col("dev_z").abs().gt(FAR).sum().alias("far")
    counts = (pl.len().alias("nights"), compared.alias("compared"), far, *reasons)
    counted = scan(store, "baselines", module_id).group_by("feature").agg(*counts)
    return counted.collect(engine="streaming").sort("feature")


def _settings(output: str, flags: dict[str, Any]) -> Settings:
    given: dict[str, Any] = {"output": output, "cluster": "in-process" if flags["in_process"] else "workstation"}
    given |= {"workers": flags["workers"], "retry": BAD, "storage": storage(flags)}
    return load(None, given)


def _with_nights(store: Store) -> str:
    """The module_id of the nights. Raises `UserError` where there are none to be compared."""
    if is_backtest(store):
        raise UserError(f"{store.uri}: a backtest, which has no nights; name the output of `nightmill reprocess`")
    return newest_with(store, NIGHTS, NEEDED)


def _is_shown(store: Store, identity: Identity) -> bool:
    return identity.module_id in current(store) and ledger.is_settled(store, identity.module_id)


def _rows(store: Store, table: str, module_id: str) -> int:
    return int(scan(store, table, module_id).select(pl.len()).collect().item())


def _show(console: Console, held: Held, features: pl.DataFrame, shifts: int) -> None:
    done = held.summary
    title = "nothing to do: every person is up to date" if done is None else f"run {done.run_id}: {done.state}"
    draw(console, features, title if done is None else f"{title} in {span(done.seconds)}", {}, 50)
    console.print(f"compared   with {LEAST} to {MOST} nights of the same person before, of band A or B")
    console.print(f"far        more than {FAR:g} deviations from the person's own median")
    console.print(f"shifts     {count(shifts, 'shift')} of temperature, three nights over six")
    console.print(f"nights     {held.reads_from}", soft_wrap=True)
    console.print(f"baselines  {held.module_id}", soft_wrap=True)
