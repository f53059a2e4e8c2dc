"""What runs the work: this process, this machine's cores, or a cluster of hosts; lent for the time of a run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from cluster import hosts
from cluster.workstation import Workstation
from configs.settings import LimitSettings
from engine.errors import InfrastructureError
from engine.events import Listener
from engine.executors import DaskExecutor, Executor, InProcess
from engine.guard import Limits

if TYPE_CHECKING:
    from distributed import Client

IN_PROCESS, WORKSTATION = "in-process", "workstation"


class Placed(Protocol):
    """Settings that say where a run happens, and what a unit of work may use."""

    @property
    def cluster(self) -> str: ...

    @property
    def workers(self) -> int | None: ...

    @property
    def limits(self) -> LimitSettings: ...


def number_of(settings: Placed) -> int:
    """Workers that these settings ask for."""
    if settings.cluster == IN_PROCESS:
        return 1
    return Workstation(settings.workers).workers if settings.cluster == WORKSTATION else _found(settings.cluster)[0]


def limits(settings: Placed) -> Limits:
    """What one unit of work may use: as told, else of memory a worker's share of its machine."""
    return Limits(settings.limits.seconds, settings.limits.memory_mb or _share_mb(settings))


def _share_mb(settings: Placed) -> float:
    share = Workstation(1 if settings.cluster == IN_PROCESS else settings.workers).child_mb
    elsewhere = settings.cluster not in (IN_PROCESS, WORKSTATION)
    return (_found(settings.cluster)[1] or share) if elsewhere else share


@contextmanager
def lend(settings: Placed, works: int, listener: Listener) -> Iterator[Executor]:
    """An executor for `works` units of work. A cluster that was started for it is gone afterwards."""
    if works == 0 or settings.cluster == IN_PROCESS:
        yield InProcess(listener=listener)
    elif settings.cluster == WORKSTATION:
        with Workstation(settings.workers).lend() as client:
            yield DaskExecutor(client, listener)
    else:
        with _connected(settings.cluster) as client:
            yield DaskExecutor(client, listener)


@contextmanager
def _connected(address: str) -> Iterator[Client]:
    try:
        with hosts.Hosts(address).lend() as client:
            yield client
    except hosts.NoCluster as error:
        raise InfrastructureError(str(error)) from error


@lru_cache(maxsize=1)
def _found(address: str) -> tuple[int, float | None]:
    """How many workers a cluster has now, and the memory of a unit of work there; asked once."""
    with _connected(address) as client:
        return len(client.nthreads()), hosts.child_mb(client)
