"""Several hosts as a cluster: a scheduler that somebody started, and worker hosts that join it, leave it and come back.

Nothing is kept on the scheduler that a restart would lose for good: the driver stops, and its command resumes.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

import dask
from distributed import Client

from cluster import certificates
from cluster.environment import worker_environment
from cluster.workstation import Workstation, settings

CHILD_MB = "nightmill_child_mb"
"""The resource under which a worker says how much memory its guarded child may take."""
LOST_AFTER = "15s"
"""A link that is silent for so long is cut. Shorter than 11 s and a busy worker would be taken for a dead one."""
ANSWER_S = 15.0
PAUSE_S = 1.0


class NoCluster(ConnectionError):
    """Nobody answers, or nobody works, at an address; the message says what to start."""


class Hosts:
    """The workers of the scheduler at `address` (`tcp://host:port`, `tls://…`). Lent, never started or stopped."""

    def __init__(self, address: str, answer_s: float = ANSWER_S) -> None:
        self.address = address
        self._answer_s = answer_s

    @contextmanager
    def lend(self) -> Iterator[Client]:
        """A client of the cluster, closed when the block is left. Raises `NoCluster` where none answers, and
        `NoCertificates`."""
        certificates.check(self.address)
        with dask.config.set(host_settings()), _without_traces():
            try:
                client = Client(self.address, timeout=self._answer_s, set_as_default=False)
            except (OSError, TimeoutError) as error:
                raise NoCluster(
                    f"no scheduler answers at {self.address}: is `nightmill cluster scheduler` running there?"
                ) from error
            try:
                client.wait_for_workers(1, timeout=self._answer_s)
                yield client
            except TimeoutError as error:
                raise NoCluster(
                    f"{self.address} has no workers: run `nightmill cluster worker {self.address}` on each host"
                ) from error
            finally:
                client.close()


@contextmanager
def _without_traces() -> Iterator[None]:
    """Dask logs tracebacks where the scheduler has gone, which the driver says in a sentence."""
    logs = [logging.getLogger(name) for name in ("distributed.batched", "distributed.client")]
    before = [log.level for log in logs]
    for log in logs:
        log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for log, level in zip(logs, before, strict=True):
            log.setLevel(level)


def child_mb(client: Client) -> float | None:
    """What the guarded child of every worker may take, in MB; None where the workers do not say."""
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    told = [worker["resources"].get(CHILD_MB) for worker in workers]
    return min((mb for mb in told if mb is not None), default=None)


def host_settings() -> dict[str, Any]:
    """Dask's configuration for scheduler, workers and driver on several hosts."""
    lost = {"distributed.comm.timeouts.tcp": LOST_AFTER, "distributed.comm.timeouts.connect": LOST_AFTER}
    return settings() | lost | certificates.tls_settings()


def serve(host: str, port: int) -> int:
    """Run a scheduler until it is told to stop; its exit code."""
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", f"--host={host}", f"--port={port}"]
    command += ["--no-dashboard", "--no-show"]
    return _keep(command, _environment(), again=False)


def join(address: str, workers: int | None = None, memory_mb: float | None = None, host: str | None = None) -> int:
    """Run this machine's workers, one process a core, until told to stop (SIGTERM, Ctrl-C).

    Dask's workers end when the link to the scheduler is cut or the scheduler restarts, and do not come back by
    themselves: here they are started again, and wait for the scheduler.
    """
    certificates.check(address)
    machine = Workstation(workers, memory_mb)
    with tempfile.TemporaryDirectory(prefix="nightmill-") as folder:
        command = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads=1", "--no-dashboard"]
        command += [f"--nworkers={machine.workers}", f"--memory-limit={int(machine.worker_mb * 1e6)}"]
        command += [f"--local-directory={folder}"]
        command += [f"--resources={CHILD_MB}={int(machine.child_mb)}", *([f"--host={host}"] if host else [])]
        return _keep(command, _environment() | worker_environment(), again=True)


def _environment() -> dict[str, str]:
    """What makes a Dask process ours: its configuration travels in a variable, and our packages stay found."""
    with dask.config.set(host_settings()):
        return os.environ | {"DASK_INTERNAL_INHERIT_CONFIG": dask.config.serialize(dask.config.config)}


def _keep(command: Sequence[str], environment: Mapping[str, str], *, again: bool) -> int:
    """Run a process until we are told to stop; with `again`, start it anew whenever it ends by itself."""
    told = False

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        nonlocal told
        told = True
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)

    process = subprocess.Popen(command, env=environment, start_new_session=True)
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        while True:
            code = process.wait()
            if told or not again:
                return 0 if told else code
            time.sleep(PAUSE_S)
            if not told:
                process = subprocess.Popen(command, env=environment, start_new_session=True)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
