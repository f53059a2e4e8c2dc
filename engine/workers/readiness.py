"""A worker made ready for a run: are its packages ours and its libraries the driver's, does it see our module?"""

from __future__ import annotations

import asyncio
import pickle
from functools import lru_cache

from engine.code.libraries import check_versions, versions
from engine.code.rooms import check_rooms
from engine.task import TaskSpec
from engine.workers.arrow_alone import leave_pandas_out
from engine.workers.guards import close_guards, lent_guard


def order(spec: TaskSpec) -> bytes:
    """What a worker needs for the tasks of a run, and to know whether it may do them."""
    return pickle.dumps((spec, versions()))


@lru_cache(maxsize=8)
def taken(order: bytes) -> TaskSpec:
    """The spec of an order, checked once in each process. Raises `StaleWorker`."""
    leave_pandas_out()
    spec, libraries = pickle.loads(order)
    check_versions(libraries)
    check_rooms()
    told: TaskSpec = spec
    return told


async def make_ready(order: bytes) -> None:
    """Run on every worker before its first batch. In a thread: loading takes seconds, and heartbeats must go on."""
    await asyncio.get_running_loop().run_in_executor(None, _make_ready, order)


def _make_ready(order: bytes) -> None:
    spec = taken(order)
    close_guards()  # of earlier runs
    with lent_guard(spec.mapped, spec.limits) as guard:
        guard.warm()
