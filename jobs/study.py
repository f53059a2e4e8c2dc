"""From settings to a plan: what plan, reprocess and demo have in common before anything runs."""

from __future__ import annotations

from dataclasses import dataclass

from configs.settings import InputSettings, Settings
from engine import ledger, plan
from engine.commit import recover
from engine.errors import ConfigError
from engine.events import InventoryTaken, Listener, PlanMade, ignore
from engine.identity import Identity
from engine.inputs.s3_inventory import is_inventory
from engine.inventory import InputSpec, Inventory, take
from engine.load import ModuleRef, refer
from engine.module import Table
from engine.planning.estimate import Estimate
from engine.results.open import is_backtest, newest
from engine.storage import Store
from jobs.options import existing, output_of


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
    estimate: Estimate | None = None

    @property
    def outputs(self) -> dict[str, Table]:
        return dict(self.mapped.outputs(self.mapped.load()))

    @property
    def is_current(self) -> bool:
        """Nothing to do, the output's views already show this version of the module, and no run was left half way."""
        module_id = self.identity.module_id
        is_done = not (self.plan.count or self.plan.shared_removals) and newest(self.output) == module_id
        return is_done and ledger.is_settled(self.output, module_id)


def prepare(settings: Settings, listener: Listener = ignore) -> Study:
    """Load the module, complete what an earlier driver had begun, list the inputs, plan. Raises `UserError`."""
    options = settings.storage.options
    output = Store(output_of(settings), options)
    if is_backtest(output):
        raise ConfigError(f"output: {settings.output} holds a backtest; a reprocessing needs a folder of its own")
    inventory = take([_spec(one) for one in settings.inputs], options)
    inventory = inventory if settings.sample is None else inventory.sampled(settings.sample)
    # After what fails at once: loading a module may compile for half a minute.
    mapped, identity = refer(settings.module.ref, settings.module.parameters)
    held = inventory.counts
    listener(InventoryTaken(held.inputs, held.size_bytes, held.sources, inventory.ignored.height))
    after = recover(output, listener)
    made = plan.make(inventory, ledger.scan(output), identity, ledger.runs(output), settings.retry, options)
    listener(PlanMade(made.count, made.files, made.size_bytes, made.done_files))
    return Study(settings, mapped, identity, output, after, inventory, made)


def _spec(given: InputSettings) -> InputSpec:
    uri = given.uri
    existing(uri.partition("#")[0] if is_inventory(uri) else uri)
    return InputSpec(uri, given.template, given.zone, given.device, given.subjects, given.include, given.calibrations)
