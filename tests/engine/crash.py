"""Drivers to be killed: `python -m tests.engine.crash` imports everything, starts no thread that matters, and forks one
driver for each order that it reads (JSON lines), so that a driver costs a fraction of a second.

A driver runs the toy package over a folder and tells each *write* just before it does it; an order may say at which of
them it gets SIGKILL, or between the write of a hidden file and its name. All writes of a driver go through `Store` or
through `engine.tables.delta`; `test_crash.py` proves that. The names are those of `tests.engine.crash_points`.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from engine import ledger
from engine.errors import NightmillError
from engine.executors import InProcess
from engine.run import RunSettings
from engine.running.progress import CommitSettings
from engine.storage import Store, StoreOptions
from engine.tables import delta, intents
from tests.engine.drive import drive
from tests.engine.outputs import digests

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = RunSettings(commits=CommitSettings(every_s=0.0), max_failures="100%", batch_works=2)
TABLES = ("sizes", "files")
_UNTOLD = {"error": None, "digests": None, "states": None}
WRITERS: Mapping[str, tuple[Any, str]] = {
    "write": (Store, "write"),
    "put": (Store, "put_if_absent"),
    "delete": (Store, "delete"),
    "create": (delta, "create"),
    "transaction": (delta, "write"),
    "widen": (delta, "add_columns"),
}


@dataclass(frozen=True)
class Order:
    """One driver. `kill_at` counts its writes from 0; `inside` kills where the hidden file would get its name;
    `kill_after_s` kills whatever it is at.
    """

    source: str
    output: str
    endpoint: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    kill_at: int | None = None
    inside: bool = False
    kill_after_s: float = 0.0
    host: str | None = None
    digest: bool = False


@dataclass(frozen=True)
class Ended:
    """How a driver ended: exit code (negative = signal), the names of its writes, its error; if asked for, digests of
    the tables and the states of all runs.
    """

    code: int
    writes: list[str]
    error: str | None
    digests: dict[str, Any] | None
    states: list[str] | None


class Drivers:
    """The forking process, from the test's side."""

    def __init__(self, package: Path) -> None:
        quiet = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"}
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.engine.crash", str(package)],
            cwd=ROOT,
            env=os.environ | quiet,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def run(self, *orders: Order) -> list[Ended]:
        """Fork a driver for each order, all at once, and wait for them."""
        assert self._server.stdin is not None and self._server.stdout is not None
        self._server.stdin.write(json.dumps([asdict(order) for order in orders]).encode() + b"\n")
        self._server.stdin.flush()
        return [Ended(**told) for told in json.loads(self._server.stdout.readline())]

    def __enter__(self) -> Drivers:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.communicate()


def serve(package: str) -> None:
    """Fork as told until the input ends."""
    sys.path.insert(0, package)
    for line in sys.stdin:
        started = [_fork(Order(**told)) for told in json.loads(line)]
        print(json.dumps([_await(*one) for one in started]), flush=True)  # noqa: T201


def _fork(order: Order) -> tuple[int, int]:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return pid, reading
    try:
        told = _drive(order, lambda name: os.write(writing, f"{name}\n".encode()))
        os.write(writing, f"{json.dumps(told)}\n".encode())
    finally:
        os._exit(0)


def _await(pid: int, reading: int) -> dict[str, Any]:
    with os.fdopen(reading) as file:
        lines = file.read().splitlines()
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    last = json.loads(lines.pop()) if lines and lines[-1].startswith("{") else _UNTOLD
    return {"code": code, "writes": lines, **last}


def _drive(order: Order, tell: Callable[[str], object]) -> dict[str, Any]:
    if order.host is not None:
        socket.gethostname = lambda: order.host or ""
    output = Store(order.output, StoreOptions(endpoint=order.endpoint))
    _watch(order, tell)
    error = None
    try:
        drive(order.source, output, SETTINGS, InProcess(), **order.parameters)
    except NightmillError as raised:
        error = f"{type(raised).__name__}: {raised}"
    if not order.digest:
        return {**_UNTOLD, "error": error}
    found = {name: asdict(one) for name, one in digests(output, TABLES).items()}
    return {"error": error, "digests": found, "states": ledger.runs(output)["state"].to_list()}


def _watch(order: Order, tell: Callable[[str], object]) -> None:
    """Make every write tell its name first, and the chosen one kill this process."""
    signal.setitimer(signal.ITIMER_REAL, order.kill_after_s)  # its signal ends a process as abruptly as SIGKILL
    os.fsync = lambda descriptor: None  # the process dies, not the machine
    seen, within = -1, 0

    def unnamed(event: str, args: tuple[Any, ...]) -> None:
        """Tells a write that goes past all of `WRITERS`, so that the list of points proves to lack it."""
        is_write = event in ("os.rename", "os.link", "os.remove") or (event == "open" and (args[2] or 0) & os.O_ACCMODE)
        if is_write and within == 0 and str(args[0]).startswith(order.output):
            tell(f"unnamed {event} {args[0]}")

    sys.addaudithook(unnamed)

    def telling(kind: str, done: Callable[..., Any]) -> Callable[..., Any]:
        def told(*args: Any, **kwargs: Any) -> Any:
            nonlocal seen, within
            seen, within = seen + 1, within + 1
            tell(_name(kind, args))
            if seen == order.kill_at and not order.inside:
                os.kill(os.getpid(), signal.SIGKILL)
            try:
                return done(*args, **kwargs)
            finally:
                within -= 1

        return told

    for kind, (place, name) in WRITERS.items():
        setattr(place, name, telling(kind, getattr(place, name)))

    def naming(done: Callable[..., Any]) -> Callable[..., Any]:
        def killed(*args: Any) -> Any:
            if order.inside and seen == order.kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
            return done(*args)

        return killed

    os.link = naming(os.link)
    Path.replace = naming(Path.replace)  # type: ignore[method-assign]


def _name(kind: str, args: tuple[Any, ...]) -> str:
    """`create sizes`, `part sizes`, `intent rows`: what is written, without run, hash and number."""
    subject = str(args[1])
    if kind == "put":
        with suppress(KeyError, ValueError):
            return f"intent {intents.decode(args[2]).purpose}"
    if kind == "write":
        return "inventory" if subject.startswith("_runs/") else f"part {subject.partition('/')[0]}"
    return f"{kind} {subject}"


if __name__ == "__main__":
    serve(sys.argv[1])
