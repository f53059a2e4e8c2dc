"""Executors: how batches become receipts. `InProcess`, a for loop, is the specification; `DaskExecutor` must equal it.

Both retry what infrastructure broke, in the order of `engine.running.retries`, and raise `InfrastructureError` when
that is exhausted, after handing over what was finished; the files in question are then still to do.
"""

from __future__ import annotations

import pickle
import queue
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Protocol

from distributed import Client, Future
from distributed.client import FutureCancelledError
from distributed.comm import CommClosedError
from distributed.scheduler import KilledWorker

from engine.batches import Batch
from engine.errors import InfrastructureError, UserError
from engine.events import BatchRetried, Listener, WorkersReady, ignore
from engine.guard import ForkGuard, Guard, InlineGuard
from engine.running.receipt import Receipt
from engine.running.retries import DEADLY, Patience, Sending, again, exhausted, killer
from engine.task import TaskSpec, run_batch
from engine.workers.failures import shorten
from engine.workers.readiness import make_ready, order, taken

BATCHES_A_WORKER = 3
"""Under way at once: one running, two waiting. Hides the way to the driver and bounds the scheduler's memory."""
LISTEN_S = 5.0
"""How long the driver hears nothing before it looks whether scheduler and workers are still there."""
NO_WORKERS_S = 180.0


class Executor(Protocol):
    """Runs batches, in any order. `workers` is how many run at once."""

    @property
    def workers(self) -> int: ...

    def run(self, spec: TaskSpec, batches: Iterator[Batch]) -> Iterator[tuple[Batch, Receipt]]:
        """A receipt for each batch, or for each half of one that was cut; every Work is in exactly one of them."""


class InProcess:
    """One batch after the other, in this process; `guarded` puts each into a child."""

    workers = 1

    def __init__(self, guarded: bool = False, listener: Listener = ignore, patience: Patience | None = None) -> None:
        self._guarded = guarded
        self._listener = listener
        self._patience = patience or Patience()

    def run(self, spec: TaskSpec, batches: Iterator[Batch]) -> Iterator[tuple[Batch, Receipt]]:
        guard: Guard = ForkGuard(spec.mapped, spec.limits) if self._guarded else InlineGuard(spec.mapped)
        try:
            guard.warm()
            for batch in batches:
                yield from self._do(spec, batch, guard)
        finally:
            guard.close()

    def _do(self, spec: TaskSpec, batch: Batch, guard: Guard) -> Iterator[tuple[Batch, Receipt]]:
        todo = deque([Sending(batch)])
        while todo:
            sent = todo.popleft()
            time.sleep(sent.pause_s)
            try:
                receipt = run_batch(spec, sent.batch, guard, sent.attempt)
            except InfrastructureError as error:
                more = again(sent, self._patience)
                if not more:
                    raise exhausted(sent, error) from error
                self._listener(BatchRetried(len(sent.batch.works), sent.attempt + 1, shorten(str(error))))
                todo.extendleft(reversed(more))
            else:
                yield sent.batch, receipt


class DaskExecutor:
    """Batches as Dask tasks, a few for each worker at a time. The client is lent, not closed."""

    def __init__(self, client: Client, listener: Listener = ignore, patience: Patience | None = None) -> None:
        self._client = client
        self._listener = listener
        self._patience = patience or Patience()

    @property
    def workers(self) -> int:
        return max(1, sum(int(threads) for threads in self._client.nthreads().values()))

    def run(self, spec: TaskSpec, batches: Iterator[Batch]) -> Iterator[tuple[Batch, Receipt]]:
        started = time.monotonic()
        told = order(spec)
        self._make_ready(told)
        self._listener(WorkersReady(self.workers, time.monotonic() - started))
        under_way = _UnderWay(self._client, told, self._listener, self._patience, BATCHES_A_WORKER * self.workers)
        try:
            yield from under_way.run(batches)
        except (FutureCancelledError, CommClosedError):
            raise InfrastructureError("the scheduler is gone, or was restarted") from None
        finally:
            under_way.forget()

    def _make_ready(self, told: bytes) -> None:
        """Wait until every worker has loaded the module. A later worker does so with its first batch: nothing of a run
        stays on the scheduler, which may outlive this driver, nor must a dying worker hold up its end."""
        answers = self._client.run(make_ready, told, on_error="return")
        for answer in answers.values():
            if isinstance(answer, UserError):
                raise answer


class _UnderWay:
    """The batches that are with the workers, those that wait to be sent again, and what comes back."""

    def __init__(self, client: Client, spec: bytes, listener: Listener, patience: Patience, most: int) -> None:
        self._client, self._spec, self._listener, self._patience = client, spec, listener, patience
        self._most = most
        self._sent: dict[Future, Sending] = {}
        self._waiting: list[tuple[float, Sending]] = []
        self._back: queue.SimpleQueue[Future] = queue.SimpleQueue()
        self._suspects: deque[Sending] = deque()
        self._given_up: InfrastructureError | None = None
        self._workers_seen = time.monotonic()

    def run(self, batches: Iterator[Batch]) -> Iterator[tuple[Batch, Receipt]]:
        while True:
            self._fill(batches)
            if not self._sent and not self._waiting:
                if not self._suspects or self._given_up:
                    break
                self._send([self._suspects.popleft()])
            future = self._next_back()
            if future is not None:
                yield from self._settle(future)
        if self._given_up is not None:
            raise self._given_up

    def forget(self) -> None:
        for future in self._sent:
            future.cancel()
        self._sent.clear()

    def _fill(self, batches: Iterator[Batch]) -> None:
        """Send what is due, then new batches, in lots: one message to the scheduler for several tasks."""
        now = time.monotonic()
        lot = [sending for due, sending in self._waiting if due <= now]
        self._waiting = [(due, sending) for due, sending in self._waiting if due > now]
        room = self._most - len(self._sent) - len(lot)
        if self._given_up is None and (room > self._most // BATCHES_A_WORKER or not self._sent):
            lot += map(Sending, islice(batches, max(room, 1)))
        if lot:
            self._send(lot)

    def _send(self, lot: list[Sending]) -> None:
        blobs = [pickle.dumps((sending.batch, sending.attempt)) for sending in lot]
        futures = self._client.map(_do, [self._spec] * len(lot), blobs, pure=False, key="batch")
        for future, sending in zip(futures, lot, strict=True):
            self._sent[future] = sending
            future.add_done_callback(self._back.put)

    def _next_back(self) -> Future | None:
        soonest = min((due for due, _ in self._waiting), default=float("inf")) - time.monotonic()
        try:
            return self._back.get(timeout=max(0.01, min(soonest, LISTEN_S)))
        except queue.Empty:
            self._check_cluster()
            return None

    def _check_cluster(self) -> None:
        if self._client.status in ("closed", "closing"):
            raise InfrastructureError("the scheduler is gone")
        if self._client.nthreads():
            self._workers_seen = time.monotonic()
        elif time.monotonic() - self._workers_seen > NO_WORKERS_S:
            raise InfrastructureError(f"no worker has come back for {NO_WORKERS_S:.0f} s")

    def _settle(self, future: Future) -> Iterator[tuple[Batch, Receipt]]:
        sent = self._sent.pop(future)
        try:
            yield sent.batch, pickle.loads(future.result())
        except (InfrastructureError, KilledWorker) as error:
            yield from self._after(sent, error)
        finally:
            future.release()

    def _after(self, sent: Sending, error: Exception) -> Iterator[tuple[Batch, Receipt]]:
        if isinstance(error, KilledWorker) and sent.is_single:
            yield from self._suspect(sent, error)
            return
        more = () if self._given_up else again(sent, self._patience)
        if not more:
            self._given_up = self._given_up or exhausted(sent, error)
            return
        now = time.monotonic()
        self._waiting += [(now + sending.pause_s, sending) for sending in more]
        self._tell(sent, error)

    def _suspect(self, sent: Sending, error: KilledWorker) -> Iterator[tuple[Batch, Receipt]]:
        """Dask blames all tasks that wait on a dying worker: only what is run alone, after all else, can be guilty."""
        deaths = sent.deaths + (error.allowed_failures + 1 if sent.is_alone else 0)
        if deaths >= DEADLY:
            yield sent.batch, killer(sent)
            return
        self._suspects.append(replace(sent, attempt=sent.attempt + 1, deaths=deaths, is_alone=True))
        self._tell(sent, error)

    def _tell(self, sent: Sending, error: Exception) -> None:
        why = "workers died under it" if isinstance(error, KilledWorker) else shorten(str(error))
        self._listener(BatchRetried(len(sent.batch.works), sent.attempt + 1, why))


def _do(told: bytes, sent: bytes) -> bytes:
    """The task as Dask sees it: bytes in, bytes out, so that the scheduler handles one blob each way."""
    batch, attempt = pickle.loads(sent)
    return pickle.dumps(run_batch(taken(told), batch, attempt=attempt))
