"""What runs the work: this process, or a cluster that is lent for the time of a run."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from cluster.workstation import Workstation
from configs.settings import Settings
from engine.events import Listener, WorkersReady
from engine.executors import DaskExecutor, Executor, InProcess


def number_of(settings: Settings) -> int:
    """Workers that these settings ask for on this machine."""
    return 1 if settings.cluster == "in-process" else _workstation(settings).workers


def _workstation(settings: Settings) -> Workstation:
    return Workstation(workers=settings.workers)


@contextmanager
def lend(settings: Settings, works: int, listener: Listener) -> Iterator[Executor]:
    """An executor for `works` units of work; the cluster behind it is gone afterwards."""
    if works == 0 or settings.cluster == "in-process":
        yield InProcess(guarded=settings.cluster != "in-process")
        return
    started = time.monotonic()
    with _workstation(settings).lend() as client:
        executor = DaskExecutor(client)
        listener(WorkersReady(executor.workers, time.monotonic() - started))
        yield executor
