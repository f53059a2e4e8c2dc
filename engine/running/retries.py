"""What to do with a batch under which infrastructure failed: whole again, then in halves, then alone, then give up."""

from __future__ import annotations

import socket
from dataclasses import dataclass, replace

from engine.batches import Batch
from engine.errors import InfrastructureError
from engine.running.fates import quarantined
from engine.running.receipt import Receipt
from engine.workers.failures import Failure

DEADLY = 2
"""So many workers must die of a Work that is run alone until it, and not the infrastructure, is to blame."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a batch of one size is sent, and the pause before it is sent again, which doubles each time."""

    tries: int = 2
    tries_alone: int = 3
    pause_s: float = 1.0
    longest_pause_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Sending:
    """A batch on its way. `attempt` counts from 1 how often its Works were sent, `tries` how often in this company.

    `is_alone` says that it, a single Work, is all that the cluster has to do; `deaths` counts the workers that died
    of it then.
    """

    batch: Batch
    attempt: int = 1
    tries: int = 1
    pause_s: float = 0.0
    is_alone: bool = False
    deaths: int = 0

    @property
    def is_single(self) -> bool:
        return len(self.batch.works) == 1


def again(failed: Sending, patience: Patience) -> tuple[Sending, ...]:
    """What to send next; nothing where all has been tried."""
    attempt = failed.attempt + 1
    pause_s = min(patience.pause_s * 2 ** (attempt - 2), patience.longest_pause_s)
    if failed.tries < (patience.tries_alone if failed.is_single else patience.tries):
        return (replace(failed, attempt=attempt, tries=failed.tries + 1, pause_s=pause_s),)
    if failed.is_single:
        return ()
    works = failed.batch.works
    middle = len(works) // 2
    halves = (replace(failed.batch, works=works[:middle]), replace(failed.batch, works=works[middle:]))
    return tuple(Sending(half, attempt, 1, pause_s) for half in halves)


def killer(sent: Sending) -> Receipt:
    """A Work that, run alone, took `DEADLY` workers along, in spite of the guard: quarantined, without rows."""
    (work,) = sent.batch.works
    failure = Failure("killed", "took its worker along each time that it was run alone", None, "killed: worker")
    return Receipt((), quarantined(work, failure, socket.gethostname(), sent.attempt), 0.0)


def exhausted(sent: Sending, error: BaseException) -> InfrastructureError:
    """Names the first Work that is still to do."""
    return InfrastructureError(f"{sent.batch.works[0].key}: still to do after {sent.attempt} attempts: {error}")
