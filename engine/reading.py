"""When a Work waits for its inputs: said by the Work, heard by the guard, so that slow storage is no module's fault."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Hearing = Callable[[bool], None]
"""Called with True when reading begins, with False when it has ended."""


def _nobody(_: bool) -> None:
    """Outside a guarded process nobody listens."""


_hearing: Hearing = _nobody


def hear(told: Hearing) -> None:
    """Have `told` called from now on, in this process."""
    global _hearing
    _hearing = told


@contextmanager
def reading() -> Iterator[None]:
    """Put around what waits for storage. Where it raises, nothing more is said: the Work is over."""
    _hearing(True)
    yield
    _hearing(False)
