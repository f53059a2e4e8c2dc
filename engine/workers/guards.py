"""This process's guards: kept between batches, since starting one costs seconds, and closed with the process."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from engine.errors import InfrastructureError
from engine.guard import ForkGuard, Limits
from engine.work import Mapped

_idle: dict[tuple[Mapped, Limits], list[ForkGuard]] = {}
_lock = threading.Lock()


@contextmanager
def lent_guard(mapped: Mapped, limits: Limits) -> Iterator[ForkGuard]:
    """A guard that nobody else uses meanwhile: an idle one, else a new one. After an odd error it is not kept."""
    key = (mapped, limits)
    with _lock:
        kept = _idle.get(key, [])
        guard = kept.pop() if kept else ForkGuard(mapped, limits)
    is_good = False
    try:
        yield guard
        is_good = True
    except InfrastructureError:
        is_good = True
        raise
    finally:
        if is_good:
            with _lock:
                _idle.setdefault(key, []).append(guard)
        else:
            guard.close()


def close_guards() -> None:
    """End all idle guards of this process."""
    with _lock:
        guards = [guard for kept in _idle.values() for guard in kept]
        _idle.clear()
    for guard in guards:
        guard.close()


atexit.register(close_guards)
