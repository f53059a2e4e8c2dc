"""One machine as a cluster: a worker process for each physical core, one thread each, memory shared out."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import dask
import psutil
from dask.system import CPU_COUNT
from distributed import Client, LocalCluster
from distributed.system import MEMORY_LIMIT

from cluster.environment import worker_environment
from cluster.quiet import undisturbed

LEAST_CHILD_MB = 1000
"""Below this a long recording does not fit; fewer workers are better than workers without memory."""
WORKER_SHARE = 0.3
"""Of a worker's memory, what its Dask process may take; the guarded child, which holds the night, gets the rest."""
MOST_WORKER_MB = 2000
DRIVER_SHARE, LEAST_DRIVER_MB = 0.1, 1000


class Workstation:
    """A cluster for this machine. `workers` and `memory_mb` (for all workers together) are measured where not given.

    `worker_mb` is what a Dask process may take, `child_mb` what is left for the child that it guards.
    """

    def __init__(self, workers: int | None = None, memory_mb: float | None = None) -> None:
        machine_mb = MEMORY_LIMIT / 1e6
        self.memory_mb = memory_mb or machine_mb - driver_mb(machine_mb)
        fitting = max(1, int(self.memory_mb * (1 - WORKER_SHARE) / LEAST_CHILD_MB))
        self.workers = workers or min(cores(), fitting)
        share_mb = self.memory_mb / self.workers
        self.worker_mb = min(share_mb * WORKER_SHARE, MOST_WORKER_MB)
        self.child_mb = share_mb - self.worker_mb

    @contextmanager
    def lend(self) -> Iterator[Client]:
        """A client of a fresh local cluster, which is gone when the block is left, however it is left."""
        with (
            tempfile.TemporaryDirectory(prefix="nightmill-") as folder,
            dask.config.set(settings()),
            ExitStack() as held,
        ):
            with undisturbed():
                client = self._start(folder, held)
            yield client

    def _start(self, folder: str, held: ExitStack) -> Client:
        cluster = LocalCluster(
            n_workers=self.workers,
            threads_per_worker=1,
            processes=True,
            memory_limit=int(self.worker_mb * 1e6),
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
            local_directory=folder,
            protocol="tcp",
            host="127.0.0.1",
        )
        return held.enter_context(Client(held.enter_context(cluster), timeout="60s"))


def cores() -> int:
    """Physical cores that this process may use; a second thread of a core adds little to these loops."""
    return int(max(1, min(psutil.cpu_count(logical=False) or CPU_COUNT, CPU_COUNT)))


def driver_mb(total_mb: float) -> float:
    """What the driver, the system and its file cache keep for themselves."""
    return max(DRIVER_SHARE * total_mb, min(LEAST_DRIVER_MB, total_mb / 4))


def settings() -> dict[str, Any]:
    """Dask's configuration for a run."""
    return {
        "distributed.nanny.pre-spawn-environ": worker_environment(),
        # The client bounds what is under way, so a worker may hold it all: 0.7 instead of 1.7 ms a task.
        "distributed.scheduler.worker-saturation": 10,
        # Receipts are small: nothing to spill, and pausing would only stall. A worker that grows is restarted.
        "distributed.worker.memory.target": False,
        "distributed.worker.memory.spill": False,
        "distributed.worker.memory.pause": False,
        "distributed.worker.memory.terminate": 0.95,
        "distributed.worker.profile.enabled": False,
        "distributed.scheduler.active-memory-manager.start": False,
        # A thousand recent messages, batches and all, made 100,000 files cost the scheduler 28 MB.
        "distributed.admin.low-level-log-length": 50,
        "distributed.comm.timeouts.connect": "60s",
        # Dask gives a worker up for good that is not there 15 s after it died; its nanny brings it back, however late.
        "distributed.deploy.lost-worker-timeout": "1h",
        "distributed.admin.system-monitor.gil.enabled": False,
    }
