"""`nightmill verify`: recompute a share of what an output holds and compare it bit for bit."""

from __future__ import annotations

import json
import tempfile
from typing import Any

import click
import polars as pl
from rich.console import Console

from configs.read import load, overlay
from configs.settings import Settings
from engine import ledger, plan
from engine.errors import UserError
from engine.events import Listener, PlanMade
from engine.load import refer
from engine.results import verify
from engine.results.open import newest
from engine.run import RunSettings, run
from engine.running.progress import CommitSettings
from engine.storage import Store
from jobs import exits
from jobs.opened import opened, storage, storage_options
from jobs.options import as_json, parameters, taking
from jobs.progress import RunProgress
from jobs.show import count
from jobs.show import draw as draw_table
from jobs.workers import lend, limits


@click.command(
    epilog="""\b
Examples:
  nightmill verify out
  nightmill verify out --sample 0.1 --seed 7
"""
    + exits.MEANING
)
@click.argument("output")
@click.option("--sample", default=0.01, show_default=True, type=click.FloatRange(0, 1), help="Share of the Sources.")
@click.option("--seed", default=0, show_default=True, help="Another seed draws other Sources.")
@click.option("-m", "--module", "ref", metavar="REF", help="Where the module is now, if not where the run found it.")
@click.option("--set", "given", metavar="NAME=VALUE", multiple=True, help="A parameter of the module.")
@click.option("--workers", type=int, metavar="N", help="Worker processes [one a core].")
@click.option("--in-process", is_flag=True, help="No cluster: one file after the other, in this process.")
@taking(*storage_options)
@as_json
def command(output: str, sample: float, seed: int, as_json: bool, **flags: Any) -> int:
    """Recompute a random share of the Sources of the newest run's module, on this machine, and compare every value.

    The module must be the very code and parameters of that run. Sources of which an input changed since, or is gone,
    are counted, not compared. A difference ends with exit code 3 and a table of what differs.
    """
    store = opened(output, flags)
    module_id = newest(store)
    last = ledger.runs(store).filter(pl.col("module_id") == module_id).row(-1, named=True)
    told = _settings(last, flags)
    works = verify.draw(store, str(module_id), sample, seed)
    with tempfile.TemporaryDirectory(prefix="nightmill-verify-") as folder:
        with RunProgress(Console(stderr=as_json)) as progress:
            again = _recompute(store, last, told, works, folder, progress)
        done = set(ledger.entries(again)["work_key"])
        keys = done - verify.changed_inputs(store, again, str(module_id), done)
        found = verify.differences(store, again, str(module_id), keys)
    _tell(found, len(keys), works.height - len(keys), as_json)
    return exits.BAD_FILES if found.height else exits.FINISHED


def _settings(last: dict[str, Any], flags: dict[str, Any]) -> Settings:
    """Those of the run, on this machine."""
    above: dict[str, Any] = {"cluster": "in-process" if flags["in_process"] else "workstation"}
    above["workers"] = flags["workers"]
    if flags["ref"]:
        above["module"] = {"ref": flags["ref"]}
    if flags["given"]:
        above = overlay(above, {"module": {"parameters": parameters(flags["given"])}})
    return load(None, overlay(json.loads(last["config"]), {**above, "storage": storage(flags)}))


def _recompute(
    store: Store, last: dict[str, Any], told: Settings, works: pl.DataFrame, folder: str, listener: Listener
) -> Store:
    """An output of its own with the works drawn."""
    if works.is_empty():
        raise UserError(f"{store.uri}: nothing to verify: no file of {last['module_id']} is committed")
    mapped, identity = refer(told.module.ref, told.module.parameters)
    verify.refuse_other_code(last, identity)
    reached = told.storage.options
    todo = plan.everything(verify.inventory(store, works, reached), reached)
    listener(PlanMade(todo.count, todo.files, todo.size_bytes, 0))
    again = Store(folder)
    settings = RunSettings(limits(told), CommitSettings(compact=False), "100%")
    with lend(told, todo.count, listener) as executor:
        run(identity, mapped, todo, again, executor, settings, listener)
    return again


def _tell(found: pl.DataFrame, compared: int, left_out: int, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"sources": compared, "left_out": left_out, "differences": found.to_dicts()}))
        return
    if left_out:
        click.echo(f"{count(left_out, 'Source')} left out: an input changed since, or is gone")
    if found.is_empty():
        click.echo(f"{count(compared, 'Source')} recomputed: equal, bit for bit")
        return
    draw_table(Console(), found, f"{count(compared, 'Source')} recomputed: they differ", {}, 100)
