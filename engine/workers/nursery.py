"""The worker's side of the zygote: starts it, has children forked, watches them, ends them at a limit."""

from __future__ import annotations

import contextlib
import os
import pickle
import select
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from engine.errors import InfrastructureError, ModuleError
from engine.module import Table
from engine.work import Mapped, Work
from engine.workers.child import Child, Lifeline, Limits, ours
from engine.workers.failures import Result
from engine.workers.frames import Header, hear_outputs, read_frame, write_frame

LOADING_S = 900.0
"""A module that is not loaded by then never will be; compiling all kernels on a slow machine takes a few minutes."""
ODD_ENDS = 2
"""So often in a row may the zygote itself die, or a child before its first Work, until somebody is to blame."""
QUIET_THREADS = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "POLARS_MAX_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}
"""A process that forks must hold no thread, and these libraries start theirs at import."""


class Nursery:
    """Evaluates Works in children of one zygote, which is started on first use and again whenever it died."""

    def __init__(self, mapped: Mapped, limits: Limits) -> None:
        self._mapped = mapped
        self._limits = limits
        self._zygote: _Zygote | None = None
        self._child: Child | None = None

    @property
    def outputs(self) -> Mapping[str, Table]:
        return self._alive().outputs

    def warm(self) -> None:
        """Have a child that waits for Works."""
        self._fit_child()

    def evaluate(self, works: Sequence[Work]) -> Iterator[Result]:
        """One result a Work, in order, each after a single try; after a killed Work a new child takes the next."""
        at, odd_ends = 0, 0
        while at < len(works):
            child = self._fit_child()
            child.give(works[at:])
            try:
                for result in child.results():
                    yield result
                    at, odd_ends = at + 1, 0
            finally:
                if not child.is_fit:
                    child.end()
                    self._child = None
            if at == len(works):
                return
            if child.zygote_died:
                self.close()
            # A Work is blamed at once if its own process died over it, else only if it goes wrong again and again.
            odd_ends += 1 if child.zygote_died or not child.started else ODD_ENDS
            if odd_ends >= ODD_ENDS:
                if not child.started:
                    raise InfrastructureError("the guarded process ends before it starts on a file")
                yield child.blame()
                at, odd_ends = at + 1, 0

    def close(self) -> None:
        if self._child is not None:
            self._child.end()
            self._child = None
        if self._zygote is not None:
            self._zygote.close()
            self._zygote = None

    def _fit_child(self) -> Child:
        if self._child is not None and self._child.is_fit:
            return self._child
        for _ in range(ODD_ENDS):
            zygote = self._alive()
            life = zygote.fork()
            if life is not None:
                self._child = Child(life, self._limits)
                return self._child
            self.close()
        raise InfrastructureError("the process that guards the module dies before it starts a batch")

    def _alive(self) -> _Zygote:
        if self._zygote is None or self._zygote.process.poll() is not None:
            self.close()
            self._zygote = _Zygote(self._mapped)
        return self._zygote


class _Zygote:
    """A running zygote that has loaded the module. Raises `StaleWorker` or `ModuleError` where it can't."""

    def __init__(self, mapped: Mapped) -> None:
        self.control, theirs = socket.socketpair()
        path = [entry or str(Path.cwd()) for entry in sys.path]
        environment = os.environ | QUIET_THREADS | {"PYTHONPATH": os.pathsep.join(path)}
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "engine.workers.zygote", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._complaints,
                start_new_session=True,
            )
        try:
            self.outputs = self._introduce(mapped, path)
        except BaseException:
            self.close()
            raise

    def _introduce(self, mapped: Mapped, path: list[str]) -> Mapping[str, Table]:
        with contextlib.suppress(BrokenPipeError):
            write_frame(self.control.fileno(), {"path": path}, pickle.dumps(mapped))
        if not select.select([self.control], [], [], LOADING_S)[0]:
            raise ModuleError(f"{mapped.module_id}: not loaded after {LOADING_S:.0f} s")
        frame = self._hear()
        if frame is None:
            self._complaints.seek(0)
            said = self._complaints.read().decode(errors="replace").strip().splitlines()[-1:]
            raise ModuleError(f"{mapped.module_id}: cannot be loaded in a worker: {' '.join(said) or 'it just ended'}")
        header, body = frame
        if "refused" in header:
            raise ours(header["refused"], header["message"])
        return hear_outputs(header, body)

    def fork(self) -> Lifeline | None:
        """A new child, waiting for Works; None where the zygote is dead."""
        mine, childs = socket.socketpair()
        with childs:
            try:
                write_frame(self.control.fileno(), {"fork": 1})
                socket.send_fds(self.control, [b"\0"], [childs.fileno()])
                answer = self._hear()
            except (BrokenPipeError, ConnectionResetError):
                answer = None
        if answer is None:
            mine.close()
            return None
        return Lifeline(answer[0]["forked"], mine, self.control, self.exit_code)

    def exit_code(self) -> int | None:
        """Wait until the zygote has reaped the child; its exit code, negative for a signal; None if the zygote died."""
        answer = self._hear()
        return None if answer is None else answer[0]["exited"]

    def _hear(self) -> tuple[Header, bytes] | None:
        return read_frame(self.control.fileno())

    def close(self) -> None:
        self.control.close()
        self.process.kill()
        self.process.wait()
        self._complaints.close()
