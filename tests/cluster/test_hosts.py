from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil
import pytest

from cluster.hosts import Hosts, NoCluster, child_mb


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A scheduler as `nightmill cluster scheduler` runs it."""
    port = free_port()
    scheduler = started("scheduler", "--host", "127.0.0.1", "--port", str(port))
    _wait_until_it_listens(port)
    yield f"tcp://127.0.0.1:{port}"
    scheduler.terminate()
    assert scheduler.wait(timeout=20) == 0


def _wait_until_it_listens(port: int) -> None:
    for _ in range(600):  # 60 s: starting takes many seconds on a busy machine
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def started(*arguments: str) -> subprocess.Popen[bytes]:
    path = os.pathsep.join(entry for entry in sys.path if entry)
    return subprocess.Popen(
        [sys.executable, "-m", "jobs.cli", "cluster", *arguments],
        env=os.environ | {"PYTHONPATH": path},
        stderr=subprocess.DEVNULL,
    )


def test_nobody_answers() -> None:
    with (
        pytest.raises(NoCluster, match=r"no scheduler answers at tcp://127.0.0.1:9"),
        Hosts("tcp://127.0.0.1:9", 1).lend(),
    ):
        raise AssertionError("connected to nobody")


@pytest.mark.slow
def test_workers_join_come_back_and_leave(address: str) -> None:
    with pytest.raises(NoCluster, match="has no workers: run `nightmill cluster worker"), Hosts(address, 3).lend():
        raise AssertionError("worked with nobody")
    joined = started("worker", address, "--workers", "1", "--memory-mb", "2000")
    try:
        with Hosts(address).lend() as client:
            assert child_mb(client) == 1400
            before = client.run(os.getpid)
            assert client.run(os.getenv, "OMP_NUM_THREADS") == {next(iter(before)): "1"}
            nanny = next(
                one for one in psutil.Process(joined.pid).children() if "dask_worker" in " ".join(one.cmdline())
            )
            os.killpg(nanny.pid, signal.SIGKILL)  # as Dask ends them when a link is cut
            until = time.monotonic() + 30
            while set(client.nthreads()) in (set(), set(before)):
                assert time.monotonic() < until
                time.sleep(0.1)
    finally:
        joined.send_signal(signal.SIGINT)
        assert joined.wait(timeout=20) == 0
