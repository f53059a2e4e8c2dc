"""The processes behind a guard: a zygote, and the child that it forks."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.errors import InfrastructureError
from engine.guard import ForkGuard
from engine.module import Status
from tests.engine.toy import SHORT, Toy, ToyMapped, works


@pytest.mark.slow
def test_the_zygote_may_die(forked: ForkGuard) -> None:
    results = {one.work.key: one for one in forked.evaluate(works("fine", "kill parent", "fine"))}
    assert [bool(result.failures) for result in results.values()] == [False, True, False]
    (failure,) = results["w001"].failures
    assert (failure.cause, failure.status) == ("killed", Status.QUARANTINED)


def child_of(guard: ForkGuard) -> int | None:
    child = guard._nursery._child
    return None if child is None else child._life.pid


def test_a_child_serves_batch_after_batch_until_it_is_large(forked: ForkGuard) -> None:
    list(forked.evaluate(works("fine")))
    first = child_of(forked)
    list(forked.evaluate(works("fine", "raise it")))
    assert child_of(forked) == first is not None
    list(forked.evaluate(works("keep 120")))
    assert child_of(forked) is None
    assert len(list(forked.evaluate(works("fine")))) == 1


@pytest.mark.parametrize("victim", ["child", "zygote"])
def test_a_death_between_batches_is_nobodys_fault(forked: ForkGuard, victim: str) -> None:
    list(forked.evaluate(works("fine")))
    pid = child_of(forked) if victim == "child" else forked._nursery._alive().process.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert [result.failures for result in forked.evaluate(works("fine", "fine"))] == [(), ()]


class Doomed(ToyMapped):
    def outputs(self, loaded: Toy) -> object:
        os.environ["DOOMED"] = "1"
        os.setpgid = _refuse  # type: ignore[assignment]
        return loaded.outputs


def _refuse(*_: int) -> None:
    raise ProcessLookupError


@pytest.mark.slow
def test_a_child_that_never_starts_is_no_fault_of_the_file() -> None:
    guard = ForkGuard(Doomed(), SHORT)
    with pytest.raises(InfrastructureError, match="before it starts"):
        list(guard.evaluate(works("fine")))
    guard.close()


def test_the_zygote_holds_one_thread_and_leaves_no_core(forked: ForkGuard) -> None:
    assert forked.outputs
    zygote = forked._nursery._alive().process.pid
    assert len(list(Path(f"/proc/{zygote}/task").iterdir())) == 1
    assert resource.prlimit(zygote, resource.RLIMIT_CORE) == (0, 0)


@pytest.mark.slow
def test_zygote_and_child_go_with_their_worker(tmp_path: Path) -> None:
    script = tmp_path / "worker.py"
    script.write_text(
        "from tests.engine.toy import ToyMapped, works\n"
        "from engine.guard import ForkGuard, Limits\n"
        "guard = ForkGuard(ToyMapped(), Limits(60, 2000))\n"
        "guard.outputs\n"
        "print(guard._nursery._alive().process.pid, flush=True)\n"
        "list(guard.evaluate(works('loop')))\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, env=environment) as worker:
        assert worker.stdout is not None
        zygote = int(worker.stdout.readline())
        children = Path(f"/proc/{zygote}/task/{zygote}/children")
        while not (child := children.read_text().split()):
            time.sleep(0.02)
        worker.send_signal(signal.SIGKILL)
    for pid in (zygote, int(child[0])):
        for _ in range(200):
            if not Path(f"/proc/{pid}").exists() or ") Z" in Path(f"/proc/{pid}/stat").read_text():
                break
            time.sleep(0.02)
        else:
            raise AssertionError(f"process {pid} outlives its worker")
