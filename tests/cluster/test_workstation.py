from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import dask
import psutil
import pytest
from distributed import Client

from cluster import workstation
from cluster.environment import MALLOC, ONE_THREAD
from cluster.workstation import LEAST_CHILD_MB, Workstation, driver_mb


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with Workstation(workers=2, memory_mb=4000).lend() as client:
        yield client


def test_the_machine_is_shared_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workstation, "MEMORY_LIMIT", 256e9)
    monkeypatch.setattr(workstation, "cores", lambda: 80)
    shared = Workstation()
    assert shared.workers == 80
    assert shared.memory_mb == pytest.approx(256_000 * 0.9)
    assert shared.workers * (shared.worker_mb + shared.child_mb) == pytest.approx(shared.memory_mb)
    assert shared.child_mb > LEAST_CHILD_MB


def test_little_memory_means_fewer_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workstation, "MEMORY_LIMIT", 8e9)
    monkeypatch.setattr(workstation, "cores", lambda: 16)
    shared = Workstation()
    assert shared.workers == 4
    assert shared.child_mb >= LEAST_CHILD_MB
    assert Workstation(workers=16).workers == 16
    monkeypatch.setattr(workstation, "MEMORY_LIMIT", 0.5e9)
    assert Workstation().workers == 1


def test_the_driver_keeps_memory() -> None:
    assert driver_mb(256_000) == 25_600
    assert driver_mb(8_000) == 1_000
    assert driver_mb(1_000) == 250


def test_workers_are_as_promised(client: Client) -> None:
    assert list(client.nthreads().values()) == [1, 1]
    for said in client.run(_about).values():
        assert {said[name] for name in ONE_THREAD} == {"1"}
        assert {name: said[name] for name in MALLOC} == MALLOC
        assert said["NUMBA_CACHE_DIR"]
        assert said["ignores SIGINT"] == "True"
    limits = {worker["memory_limit"] for worker in client.scheduler_info()["workers"].values()}
    assert limits == {int(Workstation(workers=2, memory_mb=4000).worker_mb * 1e6)}


def _about() -> dict[str, str]:
    return dict(os.environ) | {"ignores SIGINT": str(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ()))}


def test_two_clusters_do_not_clash(client: Client) -> None:
    with Workstation(workers=1, memory_mb=2000).lend() as other:
        assert other.submit(sum, [1, 2]).result() == 3
        ports = [one.scheduler_info()["services"]["dashboard"] for one in (client, other)]
        assert len(set(ports)) == 2
    assert client.submit(sum, [1, 2]).result() == 3


def test_nothing_is_left(tmp_path: Path) -> None:
    before = set(psutil.Process().children(recursive=True))
    configured = dask.config.get("distributed.scheduler.worker-saturation")
    with pytest.raises(ZeroDivisionError), Workstation(workers=1, memory_mb=2000).lend():
        assert dask.config.get("distributed.scheduler.worker-saturation") == 10
        raise ZeroDivisionError
    assert dask.config.get("distributed.scheduler.worker-saturation") == configured
    left = [one for one in psutil.Process().children(recursive=True) if one not in before and one.is_running()]
    assert [one.name() for one in left if "resource_tracker" not in " ".join(one.cmdline())] == []


@pytest.mark.slow
def test_interrupts_reach_the_driver_only(tmp_path: Path) -> None:
    script = tmp_path / "driver.py"
    script.write_text(
        "import time\n"
        "from cluster.workstation import Workstation\n"
        "if __name__ == '__main__':\n"
        "    with Workstation(workers=1, memory_mb=2000).lend() as client:\n"
        "        future = client.submit(time.sleep, 0.5)\n"
        "        print('ready', flush=True)\n"
        "        try:\n"
        "            time.sleep(20)\n"
        "            print('not interrupted', flush=True)\n"
        "        except KeyboardInterrupt:\n"
        "            print('result', future.result(), flush=True)\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
    driver = subprocess.Popen(
        [sys.executable, script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        start_new_session=True,
    )
    with driver:
        assert driver.stdout is not None
        assert driver.stderr is not None
        assert driver.stdout.readline() == b"ready\n"
        time.sleep(0.2)
        os.killpg(driver.pid, signal.SIGINT)
        assert driver.stdout.readline() == b"result None\n"
        assert driver.wait(timeout=30) == 0
        assert b"Traceback" not in driver.stderr.read()
