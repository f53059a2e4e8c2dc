"""Ctrl-C while a command loads, and as it ends: never a traceback of whoever was at work. A run has its own
(`engine/running/interrupts.py`)."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

INTERRUPTED = 130
TOLD = "interrupted; the same command resumes"


@contextmanager
def at_once() -> Iterator[None]:
    """While entered, Ctrl-C ends the process on the spot: nothing has begun, and an import that is broken off would
    tell of others' code. Does nothing in a thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, _leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _leave(_number: int, _frame: FrameType | None) -> NoReturn:
    os.write(2, f"nightmill: {TOLD}\n".encode())
    os._exit(INTERRUPTED)


class Swallowed:
    """While entered, notes where Ctrl-C came in a callback of compiled code, which cannot raise it: an error follows
    that is none. Without this Python prints it and goes on."""

    def __init__(self) -> None:
        self.some = False
        self._before = sys.unraisablehook

    def __enter__(self) -> Swallowed:
        sys.unraisablehook = self._note
        return self

    def __exit__(self, *_: object) -> None:
        sys.unraisablehook = self._before

    def _note(self, about: Any) -> None:
        if isinstance(about.exc_value, KeyboardInterrupt):
            self.some = True
        else:
            self._before(about)


def silently() -> None:
    """From here on, Ctrl-C ends the process without a word: all is done but for tidying up."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
