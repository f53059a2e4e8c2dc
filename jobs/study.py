"""From settings to a plan: what plan, reprocess and demo have in common before anything runs."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl
from rich.console import Console

from configs.settings import InputSettings, Settings
from engine import ledger, plan
from engine.commit import recover
from engine.events import InventoryTaken, Listener, PlanMade, ignore
from engine.identity import Identity
from engine.inventory import InputSpec, Inventory, take
from engine.load import ModuleRef, refer
from engine.module import Table
from engine.results.open import newest
from engine.storage import Store, StoreOptions, open_store
from jobs.options import existing, output_of
from jobs.show import count, draw, size, span


@dataclass(frozen=True, slots=True)
class Study:
    """What is mapped over what, where to, and what of it is to do. `after` is the number of the last commit."""

    settings: Settings
    mapped: ModuleRef
    identity: Identity
    output: Store
    after: int
    inventory: Inventory
    plan: plan.Plan

    @property
    def outputs(self) -> dict[str, Table]:
        return dict(self.mapped.outputs(self.mapped.load()))

    @property
    def is_current(self) -> bool:
        """Nothing to do, the output's views already show this version of the module, and no run was left half way."""
        module_id = self.identity.module_id
        is_done = not (self.plan.count or self.plan.removals) and newest(self.output) == module_id
        return is_done and ledger.is_settled(self.output, module_id)


def prepare(settings: Settings, listener: Listener = ignore) -> Study:
    """Load the module, complete what an earlier driver had begun, list the inputs, plan. Raises `UserError`."""
    options = StoreOptions(endpoint=settings.storage.endpoint, region=settings.storage.region)
    output = open_store(output_of(settings), options)
    inventory = take([_spec(one) for one in settings.inputs], options)
    # After what fails at once: loading a module may compile for half a minute.
    mapped, identity = refer(settings.module.ref, settings.module.parameters)
    files, sources = inventory.inputs.height, inventory.sources.height
    listener(InventoryTaken(files, inventory.size_bytes, sources, inventory.ignored.height))
    after = recover(output, listener)
    made = plan.make(inventory, ledger.scan(output), identity, ledger.runs(output), settings.retry, options)
    listener(PlanMade(made.count, made.files, made.size_bytes, made.done_files))
    return Study(settings, mapped, identity, output, after, inventory, made)


def _spec(given: InputSettings) -> InputSpec:
    return InputSpec(existing(given.uri), given.template, given.zone, given.device, given.subjects, given.include)


def show_plan(console: Console, study: Study, workers: int, memory_mb: float) -> None:
    """Counts, bytes, why the files are to do, and how long it may take."""
    made, taken = study.plan, study.inventory
    console.print(
        f"inventory  {count(taken.inputs.height, 'file')} · {size(taken.size_bytes)} · "
        f"{count(taken.sources['subject_id'].n_unique(), 'subject')} · {count(taken.sources.height, 'Source')} · "
        f"{count(taken.ignored.height, 'other object')} ignored",
        soft_wrap=True,
    )
    console.print(f"module     {study.identity.module_id} ({study.identity.reference})")
    console.print(f"to do      {count(made.files, 'file')} · {size(made.size_bytes)} · {made.done_files:,} up to date")
    if not made.count:
        return
    why = made.summary.with_columns(pl.col("size_bytes").map_elements(size, pl.String).alias("size")).drop("size_bytes")
    draw(console, why, "why", {})
    source = "measured on earlier files" if made.rate.measured else "guessed until files are measured"
    console.print(
        f"estimate   about {span(made.predicted_s / workers)} on {count(workers, 'worker')} ({source}) · "
        f"at most {memory_mb:,.0f} MB for one unit of work",
        soft_wrap=True,
    )
