"""What runs the work: this process, or a cluster that is lent for the time of a run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cluster.workstation import Workstation
from configs.settings import Settings
from engine.events import Listener
from engine.executors import DaskExecutor, Executor, InProcess
from engine.guard import Limits


def number_of(settings: Settings) -> int:
    """Workers that these settings ask for on this machine."""
    return 1 if settings.cluster == "in-process" else Workstation(settings.workers).workers


def limits(settings: Settings) -> Limits:
    """What one unit of work may use: as told, else of memory a worker's share of the machine."""
    machine = Workstation(1 if settings.cluster == "in-process" else settings.workers)
    return Limits(settings.limits.seconds, settings.limits.memory_mb or machine.child_mb)


@contextmanager
def lend(settings: Settings, works: int, listener: Listener) -> Iterator[Executor]:
    """An executor for `works` units of work; the cluster behind it is gone afterwards."""
    if works == 0 or settings.cluster == "in-process":
        yield InProcess(listener=listener)
        return
    with Workstation(settings.workers).lend() as client:
        yield DaskExecutor(client, listener)
