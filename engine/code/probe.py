"""Trying a module in a process of its own, watched: what it gives, how long it takes, and whether it opens anything."""

from __future__ import annotations

import io
import os
import pickle
import resource
import sys
import sysconfig
import time
import zoneinfo
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

from engine.identity import canonical_json, parameters_of
from engine.load import ModuleRef
from engine.module import Module, RawFile, Source, Verdict
from engine.work import Evaluation, Input
from engine.workers.failures import Failure, attempt

FORBIDDEN = ("socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.spawn", "os.posix_spawn", "os.putenv")
PATHS = (
    "open",
    "os.listdir",
    "os.scandir",
    "os.remove",
    "os.rename",
    "os.mkdir",
    "os.rmdir",
    "os.truncate",
    "os.chdir",
)
CODE = (".py", ".pyc", ".so", ".nbi", ".nbc")


@dataclass(frozen=True, slots=True)
class Trial:
    """Bytes to call the module on. `kind` is given, garbage, empty or truncated."""

    kind: str
    source: Source
    inputs: tuple[Input, ...]
    files: tuple[RawFile, ...]

    @property
    def size_bytes(self) -> int:
        return sum(len(file.data) for file in self.files)


@dataclass(frozen=True, slots=True)
class Answer:
    """What one call gave. `tables` are Arrow IPC streams; `opened` what the module tried to open meanwhile.

    `parameters` are the module's after the call. `peak_memory_mb` is the highest resident memory of the process.
    """

    error: str | None
    tables: Mapping[str, bytes]
    verdicts: tuple[Verdict, ...]
    opened: tuple[str, ...]
    parameters: str
    seconds: float
    peak_memory_mb: float

    @property
    def rows(self) -> int:
        return sum(_table(data).num_rows for data in self.tables.values())

    def equals(self, other: Answer) -> bool:
        """The same error, or equal tables and verdicts."""
        same = (self.error, self.verdicts, self.tables.keys()) == (other.error, other.verdicts, other.tables.keys())
        return same and all(_table(data).equals(_table(other.tables[name])) for name, data in self.tables.items())


def ask(module: Module, trial: Trial, watch: Watch | None = None) -> Answer:
    """Call the module once. An exception or a broken contract is an `error`, never raised."""
    call = _Call(trial, watch or Watch())
    result = attempt(call, module, module.outputs)  # type: ignore[arg-type]
    parameters = canonical_json(parameters_of(module))
    opened = tuple(dict.fromkeys(call.watch.opened))
    if isinstance(result, Failure):
        return Answer(result.message, {}, (), opened, parameters, call.seconds, call.peak_memory_mb)
    tables = {name: _stream(table) for name, table in sorted(result.outcome.tables.items())}
    return Answer(None, tables, result.outcome.verdicts, opened, parameters, call.seconds, call.peak_memory_mb)


@dataclass
class Watch:
    """Notes and refuses what a module must not do, while it is armed. What C code opens by itself stays unseen."""

    opened: list[str] = field(default_factory=list)
    armed: bool = False

    def hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.armed or not _is_forbidden(event, arguments):
            return
        shown = " ".join([event, *(part for part in arguments[:2] if isinstance(part, str))])[:120]
        self.opened.append(shown)
        raise PermissionError(f"a module opens nothing, but this one did: {shown}")

    @contextmanager
    def on(self) -> Iterator[None]:
        self.armed = True
        try:
            yield
        finally:
            self.armed = False


def _is_forbidden(event: str, arguments: tuple[Any, ...]) -> bool:
    """Imports inside the call, time zone data and Numba's cache are read; all else is foreign."""
    if event.startswith(FORBIDDEN):
        return True
    if event not in PATHS or not arguments or isinstance(arguments[0], int):
        return False
    path = os.fsdecode(arguments[0]) if isinstance(arguments[0], str | bytes | os.PathLike) else ""
    is_code = path.endswith(CODE) or "__pycache__" in path or any(path.startswith(str(root)) for root in _CACHES)
    if is_code:
        return False
    reads = event in ("os.listdir", "os.scandir") or (event == "open" and str(arguments[1] or "r").startswith("r"))
    return not (reads and (path in sys.path or any(Path(path).is_relative_to(root) for root in _READABLE)))


_CACHES = [os.environ[name] for name in ("NUMBA_CACHE_DIR",) if os.environ.get(name)]
_READABLE = tuple({sys.prefix, sys.base_prefix, *sysconfig.get_paths().values(), *zoneinfo.TZPATH})


@dataclass
class _Call:
    """A `Work` whose bytes are at hand; notes time and memory of the call."""

    trial: Trial
    watch: Watch
    seconds: float = 0.0
    peak_memory_mb: float = 0.0

    @property
    def key(self) -> str:
        return self.trial.source.source_id

    @property
    def inputs(self) -> tuple[Input, ...]:
        return self.trial.inputs

    def evaluate(self, mapped: Module) -> Evaluation:
        _forget_peak()
        started = time.perf_counter()
        try:
            with self.watch.on():
                return Evaluation(mapped(self.trial.files, self.trial.source), {})
        finally:
            self.seconds = time.perf_counter() - started
            self.peak_memory_mb = _peak_mb()


def _forget_peak() -> None:
    """Linux forgets the highest resident memory of a process that asks; elsewhere it is that of its whole life."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def _peak_mb() -> float:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return next((float(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), 0.0)


def _stream(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    with pa.ipc.new_stream(buffer, table.schema) as writer:
        writer.write_table(table)
    return buffer.getvalue()


def _table(data: bytes) -> pa.Table:
    return pa.ipc.open_stream(data).read_all().combine_chunks()


def answer_all(ref: ModuleRef, trials: Sequence[Trial], calls: int = 1) -> list[Answer]:
    """Load the module and ask it, each trial `calls` times; for another process or machine to run unwatched."""
    module = ref.load()
    return [ask(module, trial) for trial in trials for _ in range(calls)]


def _serve(asked: BinaryIO, told: BinaryIO) -> None:
    """Read a job, tell each answer as it comes: the number of those told says which trial ended the process."""
    ref, trials, calls = pickle.load(asked)
    module = ref.load()
    watch = Watch()
    sys.addaudithook(watch.hook)
    for trial in trials:
        for _ in range(calls):
            watch.opened.clear()
            data = pickle.dumps(ask(module, trial, watch))
            told.write(len(data).to_bytes(8, "big") + data)
            told.flush()


def main() -> None:
    """Serve on stdin and stdout. What the module prints goes to stderr."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _serve(sys.stdin.buffer, answers)
