"""The guard: evaluates Works so that a bad one costs itself only, and finds the input that is to blame.

`InlineGuard` is the specification, a for loop in this process; it stops exceptions. `ForkGuard` evaluates in a child of
a zygote (Linux), and so survives segmentation faults, endless compiled loops and memory eaters too: it watches time and
memory, kills at the limit, blames the Work in hand and goes on with the next. Of a Work that says which piece it is at,
only that piece is to blame, and the others are evaluated without it.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from engine.module import Table
from engine.work import Death, Mapped, PiecewiseWork, Work
from engine.workers.child import Limits
from engine.workers.failures import Failure, Result, attempt
from engine.workers.nursery import Nursery

__all__ = ["Failure", "ForkGuard", "Guard", "InlineGuard", "Limits", "Result"]
MOST_DEATHS = 8
"""So many pieces of a Work may end their process until the pieces after the last of them are given up."""


class Guard(Protocol):
    """Evaluates Works of one `Mapped`. `outputs` are the tables that it declares."""

    @property
    def outputs(self) -> Mapping[str, Table]: ...

    def warm(self) -> None:
        """Load what is mapped now rather than with the first Work. Raises `StaleWorker` and `ModuleError`."""

    def evaluate(self, works: Sequence[Work]) -> Iterator[Result]:
        """One result a Work, in no promised order. Raises `InfrastructureError` where reading, not content, fails."""

    def close(self) -> None: ...


class InlineGuard:
    """Evaluates in this process. Exceptions of the module become failures; nothing else is held back."""

    def __init__(self, mapped: Mapped) -> None:
        self._loaded: Any = mapped.load()
        self.outputs: Mapping[str, Table] = mapped.outputs(self._loaded)

    def warm(self) -> None:
        """It is."""

    def evaluate(self, works: Sequence[Work]) -> Iterator[Result]:
        return _evaluate(works, self._try)

    def close(self) -> None:
        """Nothing is held."""

    def _try(self, works: Sequence[Work]) -> Iterator[Result]:
        for work in works:
            started = time.monotonic()
            told = attempt(work, self._loaded, self.outputs)
            seconds, peak_mb = time.monotonic() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            if isinstance(told, Failure):
                yield Result(work, None, (told,), seconds, peak_mb)
            else:
                yield Result(work, told, (), seconds, peak_mb)


class ForkGuard:
    """Evaluates in a child that may die. Owns a zygote, started on first use; close it, or let this process end."""

    def __init__(self, mapped: Mapped, limits: Limits) -> None:
        self._nursery = Nursery(mapped, limits)

    @property
    def outputs(self) -> Mapping[str, Table]:
        return self._nursery.outputs

    def warm(self) -> None:
        self._nursery.warm()

    def evaluate(self, works: Sequence[Work]) -> Iterator[Result]:
        return _evaluate(works, self._nursery.evaluate)

    def close(self) -> None:
        self._nursery.close()


class _Try(Protocol):
    """One result a Work, in order, each after a single try."""

    def __call__(self, works: Sequence[Work], /) -> Iterator[Result]: ...


def _evaluate(works: Sequence[Work], try_once: _Try) -> Iterator[Result]:
    unclear = []
    for result in try_once(works):
        if _death([result]) is not None or (result.failures and len(result.work.inputs) > 1):
            unclear.append(result)
        else:
            yield result
    for result in unclear:
        yield (_leave_out if _death([result]) is not None else _find_culprits)(result, try_once)


def _leave_out(failed: Result, try_once: _Try) -> Result:
    """Evaluate again without the piece that was in hand when the process ended, until all others are done."""
    work: Any = failed.work
    tried = [failed]
    while len(tried) <= MOST_DEATHS and (death := _death(tried)) is not None:
        work = work.without(death)
        tried += try_once([work])
    return _sum_up(replace(tried[-1], work=failed.work), tried, len(tried))


def _death(tried: Sequence[Result]) -> Death | None:
    """What ended the last try in the middle of a piece."""
    result = tried[-1]
    failure = next((failure for failure in result.failures if failure.piece is not None), None)
    if failure is None or failure.piece is None or not isinstance(result.work, PiecewiseWork):
        return None
    return Death(failure.piece, failure.cause, failure.message, failure.signal, len(tried) == MOST_DEATHS)


def _find_culprits(failed: Result, try_once: _Try) -> Result:
    """Try each input alone; those that fail are to blame, and the rest is evaluated as one.

    Where none fails alone, or the rest still fails, all of them share the blame.
    """
    work = failed.work
    pieces = {one.name: work.only([one.name]) for one in work.inputs}
    alone = dict(zip(pieces, try_once(list(pieces.values())), strict=True))
    culprits = tuple(replace(result.failures[0], inputs=(name,)) for name, result in alone.items() if result.failures)
    rest = tuple(name for name, result in alone.items() if not result.failures)
    tried = [failed, *alone.values()]
    if not culprits:
        return _sum_up(failed, tried, 2)
    if not rest:
        return _sum_up(replace(failed, failures=culprits), tried, 2)
    together = alone[rest[0]] if len(rest) == 1 else next(iter(try_once([work.only(rest)])))
    still = tuple(replace(failure, inputs=rest) for failure in together.failures)
    found = replace(failed, evaluation=together.evaluation, failures=culprits + still)
    return _sum_up(found, [*tried, together], 3)


def _sum_up(result: Result, tried: Sequence[Result], attempts: int) -> Result:
    seconds = sum(one.seconds for one in tried)
    return replace(result, seconds=seconds, peak_memory_mb=max(one.peak_memory_mb for one in tried), attempt=attempts)
