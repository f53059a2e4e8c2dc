from __future__ import annotations

import pickle
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dask
import pyarrow as pa
import pytest
from distributed import Client, LocalCluster
from distributed.comm import CommClosedError

from cluster.workstation import Workstation
from engine import executors
from engine.batches import Batch
from engine.errors import InfrastructureError, StaleWorker
from engine.events import BatchRetried, Event, WorkersReady
from engine.executors import DaskExecutor, Executor, InProcess
from engine.guard import Limits
from engine.running.receipt import Receipt
from engine.running.retries import Patience
from engine.schemas import RUN_TIME_COLUMNS
from engine.storage import Store
from engine.task import TaskSpec
from engine.work import Work
from tests.engine.toy import ToyMapped, ToyWork, works

HASTE = Patience(pause_s=0.01, longest_pause_s=0.05)
LIMITS = Limits(20, 2000)
Told = list[tuple[Batch, Receipt]]


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with dask.config.set({"distributed.scheduler.allowed-failures": 0}), Workstation(workers=2).lend() as client:
        yield client


@pytest.fixture(params=["in-process", "guarded", "dask"])
def executor(request: pytest.FixtureRequest) -> Executor:
    if request.param == "dask":
        return DaskExecutor(request.getfixturevalue("client"), patience=HASTE)
    return InProcess(guarded=request.param == "guarded", patience=HASTE)


def batches(some: list[Work], size: int = 3) -> Iterator[Batch]:
    for number, at in enumerate(range(0, len(some), size)):
        yield Batch(number, tuple(some[at : at + size]))


def rows(told: Told) -> list[dict[str, Any]]:
    found = [row for _, receipt in told for row in pa.ipc.open_stream(receipt.ledger).read_all().to_pylist()]
    return sorted(found, key=lambda row: (row["work_key"], row["file"]))


def statuses(told: Told) -> dict[str, str]:
    found = rows(told)
    assert len({(row["work_key"], row["file"]) for row in found}) == len(found)
    return {row["work_key"]: row["status"] for row in found}


def spec(folder: Path, mapped: ToyMapped | None = None) -> TaskSpec:
    return TaskSpec(mapped or ToyMapped(), str(folder), limits=LIMITS)


SOME = [*works("a", "bb", "reject", "raise it", "nan", "ccc", "d"), ToyWork("p", (("x", "raise it"), ("y", "fine")))]


def test_all_executors_equal_the_for_loop(executor: Executor, tmp_path: Path) -> None:
    wanted = list(InProcess().run(spec(tmp_path / "loop"), batches(SOME)))
    told = list(executor.run(spec(tmp_path / "other"), batches(SOME)))
    assert {part for _, receipt in told for part in map(_flat, receipt.parts)} == {
        part for _, receipt in wanted for part in map(_flat, receipt.parts)
    }
    assert [_lasting(row) for row in rows(told)] == [_lasting(row) for row in rows(wanted)]
    paths = [sorted(e.path for e in Store(tmp_path / name).list()) for name in ("loop", "other")]
    assert paths[0] == paths[1]


def _flat(part: Any) -> tuple[str, str, int, str]:
    return part.table, part.path, part.rows, part.statistics


def _lasting(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in RUN_TIME_COLUMNS}


def test_no_batches_no_receipts(executor: Executor, tmp_path: Path) -> None:
    assert list(executor.run(spec(tmp_path), iter(()))) == []


def test_a_stale_worker_is_refused_before_the_first_batch(executor: Executor, tmp_path: Path) -> None:
    def never() -> Iterator[Batch]:
        raise AssertionError("a batch was asked for")
        yield

    with pytest.raises(StaleWorker, match="toy-000000000000"):
        list(executor.run(spec(tmp_path, ToyMapped(stale=True)), never()))


@pytest.mark.parametrize("times", [1, 4])
def test_reading_that_recovers_is_retried(executor: Executor, tmp_path: Path, times: int) -> None:
    mark = tmp_path / "mark"
    some = works("a", f"unreadable until {mark} {times}", "c")
    told = list(executor.run(spec(tmp_path / "out"), batches(some)))
    assert statuses(told) == {"w000": "ok", "w001": "ok", "w002": "ok"}
    assert mark.stat().st_size == times + 1
    attempts = {row["work_key"]: row["attempt"] for row in rows(told)}
    assert attempts["w001"] == times + 1


def test_reading_that_never_recovers_stops_the_run(executor: Executor, tmp_path: Path) -> None:
    told: Told = []
    with pytest.raises(InfrastructureError, match=r"w004: still to do after .* attempts: f004.txt: input/output error"):
        for one in executor.run(spec(tmp_path), batches(works("a", "b", "c", "d", "unreadable", "f"))):
            told.append(one)
    assert "w004" not in statuses(told)
    assert {"w000", "w001", "w002"} <= set(statuses(told))


def test_retries_are_told(tmp_path: Path) -> None:
    events: list[Event] = []
    executor = InProcess(listener=events.append, patience=HASTE)
    some = works("a", f"unreadable until {tmp_path / 'mark'} 2")
    list(executor.run(spec(tmp_path / "out"), batches(some)))
    assert events == [BatchRetried(2, attempt, "the disk is tired") for attempt in (2, 3)]


def test_workers_are_ready_before_the_first_batch(client: Client, tmp_path: Path) -> None:
    events: list[Event] = []
    executor = DaskExecutor(client, events.append)
    assert executor.workers == 2
    list(executor.run(spec(tmp_path), batches(works("a"))))
    (ready,) = events
    assert isinstance(ready, WorkersReady)
    assert ready.workers == 2


def test_little_is_under_way(client: Client, tmp_path: Path) -> None:
    asked, done, most = 0, 0, 0

    def counted() -> Iterator[Batch]:
        nonlocal asked
        for batch in batches(works(*["x"] * 40), 1):
            asked += 1
            yield batch

    for _ in DaskExecutor(client).run(spec(tmp_path), counted()):
        done += 1
        most = max(most, asked - done)
    assert (asked, done) == (40, 40)
    assert most <= 6


def test_leaving_early_leaves_nothing_behind(client: Client, tmp_path: Path) -> None:
    receipts = DaskExecutor(client).run(spec(tmp_path), batches(works(*["x"] * 20), 1))
    next(receipts)
    receipts.close()  # type: ignore[attr-defined]
    for _ in range(100):
        if not client.processing() or not any(client.processing().values()):
            break
        time.sleep(0.05)
    assert not any(client.processing().values())
    assert len(list(DaskExecutor(client).run(spec(tmp_path), batches(works("x"))))) == 1


def test_a_batch_travels_small() -> None:
    assert len(pickle.dumps((Batch(0, tuple(works(*["x"] * 64))), 1))) < 64 * 200


def test_a_cluster_that_is_gone_is_infrastructure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executors, "LISTEN_S", 0.1)
    monkeypatch.setattr(executors, "NO_WORKERS_S", 0.3)
    with LocalCluster(n_workers=0, dashboard_address="127.0.0.1:0", host="127.0.0.1") as empty, Client(empty) as client:
        executor = DaskExecutor(client)
        with pytest.raises(InfrastructureError, match="no worker has come back"):
            list(executor.run(spec(tmp_path), batches(works("a"))))


@pytest.mark.parametrize("where", ["result", "nthreads"])
def test_a_scheduler_that_is_gone_is_infrastructure(
    where: str, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(*_: object) -> None:
        raise CommClosedError("Stream is closed")

    monkeypatch.setattr(executors, "LISTEN_S", 0.0)
    receipts = DaskExecutor(client).run(spec(tmp_path), batches(works("a", "sleep 1"), 1))
    next(receipts)
    monkeypatch.setattr(*((executors.Future, where) if where == "result" else (client, where)), closed)
    with pytest.raises(InfrastructureError, match="the scheduler is gone"):
        list(receipts)


@pytest.mark.slow
def test_a_work_that_kills_its_worker_is_found_and_quarantined(client: Client, tmp_path: Path) -> None:
    """The module cannot do it, the guard sees to that; here the Work itself kills the Dask worker, past the guard."""
    events: list[Event] = []
    some: list[Work] = [*works("a", "b", "c"), ToyWork("poison", (("p", "worker dies"),))]
    told = list(DaskExecutor(client, events.append, HASTE).run(spec(tmp_path), batches(some, 4)))
    assert statuses(told) == {"w000": "ok", "w001": "ok", "w002": "ok", "poison": "quarantined"}
    (attempt,) = (row["attempt"] for row in rows(told) if row["work_key"] == "poison")
    assert attempt == 7  # twice with three others, twice with one, once by itself beside other batches, twice alone
    assert events[1:3] == [BatchRetried(4, 2, "workers died under it"), BatchRetried(4, 3, "workers died under it")]
    assert all(event.why == "workers died under it" for event in events if isinstance(event, BatchRetried))
