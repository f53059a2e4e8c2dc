"""One forked child: what it tells, the limits that it is held to, and who is to blame when it ends too early."""

from __future__ import annotations

import contextlib
import os
import pickle
import select
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from engine import errors
from engine.errors import InfrastructureError, InputUnreadable, NightmillError
from engine.work import Work
from engine.workers.failures import Failure, Result
from engine.workers.frames import Garbled, Header, Inbox, hear_evaluation, hear_failure, read_some, write_frame

POLL_S = 0.05
START_S = 60.0
"""A child that only takes its Works over has at least so long: on a busy machine that alone may take a second."""
LARGEST_AT_REST = 0.5
"""Share of the memory limit; a child that keeps more than this between two batches is replaced. A fresh one costs about
0.1 s of copied pages, so one for each batch was too dear."""
_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / (1 << 20)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one Work may take.

    `seconds`: wall time to read it, and as much again to evaluate it, or to evaluate each piece that it tells of.
    `memory_mb`: resident memory of its process, the loaded module included.
    """

    seconds: float = 300.0
    memory_mb: float = 2048.0


@dataclass(frozen=True, slots=True)
class Lifeline:
    """What the parent holds of a child: process id, the socket to it, and the zygote's socket.

    `wait` waits for its end: the exit code, negative for a signal; None if the zygote died.
    """

    pid: int
    line: socket.socket
    control: socket.socket
    wait: Callable[[], int | None]


@dataclass
class _InHand:
    """The Work that the child is at, or about to start: since when (monotonic seconds) it is at its present piece or
    reading, and the most memory seen."""

    began: float
    started: bool = False
    is_reading: bool = False
    piece: str | None = None
    peak_mb: float = 0.0


class Child:
    """One forked child. It takes one batch of Works after the other, until it dies of one or has grown too large."""

    def __init__(self, life: Lifeline, limits: Limits) -> None:
        self._life, self._limits = life, limits
        self._works: Sequence[Work] = ()
        self._told = 0
        self._in_hand = _InHand(time.monotonic())
        self._why: Failure | None = None
        self._exit_code: int | None = None
        self._is_waiting = True
        self._is_gone = False
        self.zygote_died = False

    def give(self, works: Sequence[Work]) -> None:
        """Hand over Works, whose results `results` then tells."""
        self._works, self._told, self._is_waiting = works, 0, False
        self._in_hand = _InHand(time.monotonic())
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # `results` will find it dead
            write_frame(self._life.line.fileno(), {"works": len(works)}, pickle.dumps(tuple(works)))

    def results(self) -> Iterator[Result]:
        """What the child tells, until it ends or must be ended; `blame` then says why the next Work is missing.

        Raises `InputUnreadable` where inputs do not come within the time limit, and what the child says of storage.
        """
        try:
            for header, body in self._frames():
                if "start" in header:
                    self._in_hand = _InHand(header["at"], started=True)
                elif "reading" in header:  # evaluation has the whole time limit for itself
                    self._in_hand.began, self._in_hand.is_reading = header["at"], header["reading"]
                elif "piece" in header:  # and so has each piece
                    self._in_hand.began, self._in_hand.piece = header["at"], header["piece"]
                elif "stop" in header:
                    self._is_waiting = True
                    raise ours(header["stop"], header["message"])
                elif "end" in header:
                    self._is_waiting = True
                    return
                else:
                    yield self._result(header, body)
                    self._told += 1
                    self._in_hand = _InHand(time.monotonic())
        except (Garbled, KeyError, IndexError, TypeError) as error:
            self._why = Failure("killed", f"spoilt its own process: {type(error).__name__}", None, "killed: garbled")

    @property
    def started(self) -> bool:
        """Whether the Work that is missing had begun."""
        return self._in_hand.started

    def _result(self, header: Header, body: bytes) -> Result:
        work, spent = self._works[self._told], (float(header["seconds"]), float(header["peak_mb"]))
        if "cause" in header:
            return Result(work, None, (hear_failure(header),), *spent)
        return Result(work, hear_evaluation(header, body), (), *spent)

    def blame(self) -> Result:
        """The Work in hand when the child ended, with what ended it."""
        failure = replace(self._why or _sign_of_death(self._exit_code), piece=self._in_hand.piece)
        seconds = time.monotonic() - self._in_hand.began
        return Result(self._works[self._told], None, (failure,), seconds, self._in_hand.peak_mb)

    @property
    def is_fit(self) -> bool:
        """Whether it waits for more Works, and what earlier ones left in its memory leaves room for them."""
        return self._is_waiting and _resident_mb(self._life.pid) < self._limits.memory_mb * LARGEST_AT_REST

    def end(self) -> None:
        """Kill what still runs and wait until it is gone."""
        if self._is_gone:
            return
        self._is_gone, self._is_waiting = True, False
        self._life.line.close()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._life.pid, signal.SIGKILL)  # its own children too
        self._exit_code = self._life.wait()
        self.zygote_died = self._exit_code is None

    def _frames(self) -> Iterator[tuple[Header, bytes]]:
        inbox, checked = Inbox(), time.monotonic()
        line, poll = self._life.line.fileno(), select.poll()
        poll.register(line, select.POLLIN)
        poll.register(self._life.control, select.POLLIN)
        while True:
            ready = dict(poll.poll(POLL_S * 1000))
            if line in ready:
                data = read_some(line)
                if not data:
                    return
                yield from inbox.feed(data)
            elif ready:  # the child ended, or the zygote, and all that was told is read
                return
            now = time.monotonic()
            if now - checked >= POLL_S:
                checked = now
                self._why = self._at_limit(now, inbox.held_bytes)
            if self._why is not None:
                return

    def _at_limit(self, now: float, unread_bytes: int) -> Failure | None:
        used_mb = _resident_mb(self._life.pid) + unread_bytes / 1e6
        self._in_hand.peak_mb = max(self._in_hand.peak_mb, used_mb)
        if used_mb > self._limits.memory_mb:
            return Failure(
                "memory", f"more than {self._limits.memory_mb:.0f} MB of memory", None, "memory limit", "SIGKILL"
            )
        if now - self._in_hand.began <= self._time_limit_s:
            return None
        if self._in_hand.is_reading:
            raise InputUnreadable(f"{self._works[self._told].key}: not read after {self._limits.seconds:g} s")
        return Failure("timeout", f"not finished after {self._limits.seconds:g} s", None, "time limit", "SIGKILL")

    @property
    def _time_limit_s(self) -> float:
        return self._limits.seconds if self._in_hand.started else max(self._limits.seconds, START_S)


def _sign_of_death(code: int | None) -> Failure:
    if code is None:
        return Failure("killed", "took the process that guards it along", None, "killed: guard")
    if code < 0:
        name = signal.Signals(-code).name
        return Failure("killed", f"the process died of {name}", None, f"killed: {name}", name)
    return Failure("killed", f"the process ended itself with exit code {code}", None, "killed: exit", None, code)


def _resident_mb(pid: int) -> float:
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:  # noqa: PTH123  (20 times a second)
            return int(file.read().split()[1]) * _PAGE_MB
    except (OSError, IndexError):
        return 0.0


def ours(name: str, message: str) -> NightmillError:
    """An error of ours that another process told by name."""
    kind: Any = getattr(errors, name, InfrastructureError)
    found = kind(message)
    return found if isinstance(found, NightmillError) else InfrastructureError(message)
