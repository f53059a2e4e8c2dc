"""Write boundaries of a worker, at which `arm` has it kill itself once: the first worker to get there."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

from engine import executors, task
from engine.workers.nursery import Nursery

POINTS: dict[str, tuple[Any, str, str]] = {
    "batch received": (executors, "run_batch", "before"),
    "rows evaluated": (task, "_write_rows", "before"),
    "part about to be written": (task, "write_part", "before"),
    "part written": (task, "write_part", "after"),
    "ledger rows made": (task, "ledger", "after"),
    "receipt made": (executors, "run_batch", "after"),
    "zygote gone": (Nursery, "_fit_child", "zygote"),
}


def arm(point: str, flag: str) -> None:
    """Run on each worker; `flag` is a file that says that one has died already."""
    place, name, when = POINTS[point]
    done = getattr(place, name)

    def die(pid: int) -> None:
        try:
            os.close(os.open(flag, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return
        os.kill(pid, signal.SIGKILL)

    setattr(place, name, _deadly(done, when, die))


def _deadly(done: Callable[..., Any], when: str, die: Callable[[int], None]) -> Callable[..., Any]:
    def deadly(*args: Any, **kwargs: Any) -> Any:
        if when == "before":
            die(os.getpid())
        result = done(*args, **kwargs)
        if when == "after":
            die(os.getpid())
        if when == "zygote":
            die(args[0]._zygote.process.pid)
        return result

    return deadly
