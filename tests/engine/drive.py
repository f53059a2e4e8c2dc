"""A run from listing to report, as a job does it, over the package of `tests.engine.users`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import ledger
from engine.commit import recover
from engine.inventory import InputSpec, take
from engine.load import refer
from engine.plan import make
from engine.run import RunSettings, run
from engine.running.progress import CommitSettings, RunSummary
from engine.storage import Store, StoreOptions
from tests.engine.loop import Loop

if TYPE_CHECKING:
    from engine.executors import Executor

REFERENCE = "killable.module:Sizes"
SETTINGS = RunSettings(commits=CommitSettings(every_s=0.0), max_failures="100%", batch_works=3)


def drive(
    source: str, output: Store, settings: RunSettings = SETTINGS, executor: Executor | None = None, **parameters: object
) -> RunSummary:
    """One run from listing to report, as a job does it."""
    after = recover(output)
    mapped, identity = refer(REFERENCE, parameters)
    inventory = take([InputSpec(source, include=("**/*.zip",))], StoreOptions())
    plan = make(inventory, ledger.scan(output), identity, ledger.runs(output))
    frozen = inventory.to_parquet()
    return run(identity, mapped, plan, output, executor or Loop(), settings, after=after, inventory=frozen)
