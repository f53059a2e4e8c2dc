"""One try at one Work, and what is told of it when it fails: whose fault and where, in few, repeatable words."""

from __future__ import annotations

import linecache
import re
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from engine.errors import NightmillError
from engine.module import Status, Table
from engine.tables.checks import ContractBreach, check_outcome
from engine.work import Evaluation, Work

T = TypeVar("T")
MESSAGE_CHARACTERS = 200
TRACEBACK_CHARACTERS = 700
TRACEBACK_FRAMES = 6
LETHAL = ("timeout", "memory", "killed")
"""Causes that quarantine; `module` and `contract` are failures."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why some inputs of a Work gave nothing. `inputs` are their names; empty means all of the Work's. `piece` is what
    the Work was at when its process ended, where it says such things."""

    cause: str
    message: str
    traceback: str | None = None
    fingerprint: str | None = None
    signal: str | None = None
    exit_code: int | None = None
    inputs: tuple[str, ...] = ()
    piece: str | None = None

    @property
    def status(self) -> Status:
        return Status.QUARANTINED if self.cause in LETHAL else Status.FAILED


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one Work: an evaluation, failures, or both where only some inputs were at fault."""

    work: Work
    evaluation: Evaluation | None
    failures: tuple[Failure, ...]
    seconds: float
    peak_memory_mb: float
    attempt: int = 1


def attempt(work: Work, loaded: Any, outputs: Mapping[str, Table]) -> Evaluation | Failure:
    """Evaluate and check one Work. Errors of ours pass through; whatever else the module raises is a Failure."""
    evaluation = caught(work.evaluate, loaded)
    if isinstance(evaluation, Failure):
        return evaluation
    outcome = caught(check_outcome, evaluation.outcome, outputs, work.key, work.inputs)
    return outcome if isinstance(outcome, Failure) else Evaluation(outcome, dict(evaluation.bytes_sha256))


def caught(call: Callable[..., T], *args: Any) -> T | Failure:
    """What a call of somebody's code gives, or why it does not. Errors of ours pass through."""
    try:
        return call(*args)
    except (NightmillError, KeyboardInterrupt):
        raise
    except ContractBreach as breach:
        return Failure("contract", shorten(str(breach)), fingerprint=f"contract: {shorten(str(breach))}")
    # The one broad except of the engine. BaseException: a module may call sys.exit, and Rust panics are no Exceptions.
    except BaseException as error:  # noqa: BLE001
        return _blame(error)


def _blame(error: BaseException) -> Failure:
    cause = "memory" if isinstance(error, MemoryError) else "module"
    message = shorten("".join(traceback.format_exception_only(error)))
    # The first two frames are ours: `caught`, and the Work that called the module.
    walked = list(traceback.walk_tb(error.__traceback__))
    frames = [_place(frame.f_globals.get("__name__", "?"), frame.f_code, line) for frame, line in walked[2:] or walked]
    text = "\n".join([*frames[-TRACEBACK_FRAMES:], message])[-TRACEBACK_CHARACTERS:]
    return Failure(cause, message, text, f"{type(error).__name__} at {frames[-1].partition(chr(10))[0]}")


def _place(module: str, code: Any, line: int) -> str:
    """Module and line, not the file's path: the same text on every machine."""
    source = linecache.getline(code.co_filename, line).strip()
    return f"{module}:{line} in {code.co_name}" + (f"\n    {source[:100]}" if source else "")


def shorten(text: str) -> str:
    """One line of bounded length that does not differ between two runs: memory addresses are blanked.

    >>> shorten("<Reader object at 0x7f3c2a>\\n is closed")
    '<Reader object at 0x…> is closed'
    """
    line = re.sub(r"0x[0-9a-fA-F]{4,}", "0x…", " ".join(text.split()))
    line = line.encode("utf-8", "replace").decode("utf-8")
    return line if len(line) <= MESSAGE_CHARACTERS else line[: MESSAGE_CHARACTERS - 1] + "…"
