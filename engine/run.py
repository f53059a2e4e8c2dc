"""A run: what a plan says is done by an executor, committed as it comes, and written down; the same for all Work.

Call `engine.commit.recover` first, then read the ledger and plan, then `run`.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import polars as pl

from engine.batches import Batch, aim_s, cut
from engine.commit import LEDGER, recover
from engine.errors import AccessDenied, BudgetExceeded, InfrastructureError, Interrupted, StaleWorker
from engine.events import Listener, ignore
from engine.guard import Limits
from engine.identity import Identity
from engine.running import record
from engine.running.budget import ALL, Budget, Overrun, Strata, Tally
from engine.running.interrupts import Interrupts
from engine.running.progress import CommitSettings, Progress, RunSummary
from engine.storage import Store
from engine.task import TaskSpec
from engine.work import Mapped, Work

if TYPE_CHECKING:  # importing Dask takes a second, which a run in one process need not spend
    from engine.executors import Executor


class Planned(Protocol):
    """What a run needs of a plan. `shared_removals` are keys of works whose earlier rows go with whichever commit comes
    first of several, or at the end."""

    @property
    def shared_removals(self) -> Collection[str]: ...

    @property
    def predicted_s(self) -> float: ...

    def removals_with(self, keys: Collection[str]) -> Collection[str]:
        """Keys of works whose earlier rows go in the commit of these works."""

    def works(self) -> Iterator[Work]: ...


@dataclass(frozen=True, slots=True)
class RunSettings:
    """How to run. `max_failures` is a number of files or a share (`5%`), of each of the `strata` if they are given;
    `config` is kept in `runs`, as JSON. `ledger` is the table of fates: `files`, or `work` where there are none."""

    limits: Limits = field(default_factory=Limits)
    commits: CommitSettings = field(default_factory=CommitSettings)
    max_failures: str = "20%"
    strata: Strata | None = None
    batch_works: int | None = None
    config: str = "{}"
    ledger: str = LEDGER


def run(
    identity: Identity,
    mapped: Mapped,
    plan: Planned,
    output: Store,
    executor: Executor,
    settings: RunSettings | None = None,
    listener: Listener = ignore,
    *,
    after: int | None = None,
    inventory: bytes | None = None,
) -> RunSummary:
    """Do all works of `plan` and commit what they give.

    `after` is what `recover` returned before the plan was made; `inventory` is kept beside the run. Raises
    `BudgetExceeded`, `Interrupted` and `InfrastructureError` after committing what was finished; then, as after a
    crash, the same command resumes. Raises `OutputBusy` where another driver commits, `SchemaChanged` before the start.
    """
    settings = settings or RunSettings()
    tally = Tally(Budget.parse(settings.max_failures), settings.strata)
    record.refuse_if_running(output)
    number = recover(output, listener) if after is None else after
    begun = record.begin(identity, settings.config)
    outputs = mapped.outputs(mapped.load())
    progress = Progress(begun, output, number, outputs, settings.commits, listener, settings.ledger)
    progress.start(plan.shared_removals, inventory)
    spec = TaskSpec(mapped, output.uri, output.options, settings.limits)
    with Interrupts() as interrupts:
        gate = Gate(lambda: interrupts.asked or tally.exceeded())
        try:
            batches = _batches(plan, executor.workers, settings.batch_works)
            for _, receipt in executor.run(spec, gate.through(batches)):
                progress.take(receipt, plan.removals_with)
                tally.take(pl.read_ipc_stream(io.BytesIO(receipt.ledger), columns=["file", "status"]))
            state = "finished" if not gate.is_shut else "interrupted" if interrupts.asked else "stopped"
            return _tell(progress.end(state), tally.overrun, settings)
        except KeyboardInterrupt:
            raise Interrupted("stopped at once; the same command goes on after the last commit") from None
        except (InfrastructureError, StaleWorker, AccessDenied):
            progress.end("stopped")
            raise


class Gate:
    """Lets batches through until it is time to stop. What is under way then is still finished and committed."""

    def __init__(self, is_time: Callable[[], bool]) -> None:
        self._is_time = is_time
        self.is_shut = False
        """Whether a batch was held back."""

    def through(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        for batch in batches:
            if self._is_time():
                self.is_shut = True
                return
            yield batch


def _tell(summary: RunSummary, overrun: Overrun | None, settings: RunSettings) -> RunSummary:
    """The summary, or the error that it amounts to."""
    if summary.state == "interrupted":
        raise Interrupted("interrupted; what was finished is committed, and the same command goes on from here")
    if summary.state == "stopped" and overrun is not None:
        of_field = "" if settings.strata is None or overrun.stratum == ALL else f" of {settings.strata.field} "
        raise BudgetExceeded(
            f"{overrun.bad} of {overrun.files} files{of_field}{overrun.stratum} failed or were quarantined, more than "
            f"{settings.max_failures} allows; `nightmill errors` shows why, and the same command goes on from here"
        )
    return summary


def _batches(plan: Planned, workers: int, works: int | None) -> Iterator[Batch]:
    """Of so many works each, or of so many seconds."""
    if works is None:
        return cut(plan.works(), aim_s(workers, plan.predicted_s))
    return cut(plan.works(), math.inf, works)
