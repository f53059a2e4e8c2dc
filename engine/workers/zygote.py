"""The zygote: a small process that loads the module once, starts no thread, and forks children that evaluate Works.

`python -m engine.workers.zygote FD`, where FD is a socket to the worker that owns it. It says what it loaded; then,
each time it receives a socket, it forks, and reports how the child ended. The child takes batches of Works from that
socket, evaluates them in order, and tells: `start` before each Work, what the Work itself says
(`engine.workers.telling`), what came of it, `end` after the last. When the worker's ends close, child and zygote go
too. `engine.workers.nursery` and `engine.workers.child` are the other side.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import pickle
import resource
import select
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.errors import NightmillError
from engine.module import Table
from engine.work import Work
from engine.workers.arrow_alone import leave_pandas_out
from engine.workers.failures import Failure, attempt
from engine.workers.frames import read_frame, tell_evaluation, tell_failure, tell_outputs, write_frame
from engine.workers.telling import hear

PR_SET_PDEATHSIG = 1


def main(descriptor: int) -> None:
    """Serve until the worker goes away."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    leave_pandas_out()
    control = socket.socket(fileno=descriptor)
    loaded = _load(descriptor)
    if loaded is None:
        return
    libc = ctypes.CDLL(None)
    gc.collect()
    gc.freeze()  # what lives now is shared with every child; the collector must not touch, and so copy, its pages
    while read_frame(descriptor) is not None:
        _, (line, *_), _, _ = socket.recv_fds(control, 1, 1)
        pid = os.fork()
        if pid == 0:
            _be_child(libc, control, line, *loaded)
        os.close(line)
        _watch(control, pid)


def _load(descriptor: int) -> tuple[Any, Mapping[str, Table]] | None:
    """Load what the run maps and say so; an error of ours is told, any other ends the process with its traceback."""
    frame = read_frame(descriptor)
    if frame is None:
        return None
    sys.path[:] = frame[0]["path"]
    mapped = pickle.loads(frame[1])
    try:
        loaded = mapped.load()
    except NightmillError as error:
        write_frame(descriptor, {"refused": type(error).__name__, "message": str(error)})
        return None
    outputs = mapped.outputs(loaded)
    header, body = tell_outputs(outputs)
    write_frame(descriptor, header | {"threads": len(list(Path("/proc/self/task").iterdir()))}, body)
    return loaded, outputs


def _watch(control: socket.socket, pid: int) -> None:
    """Wait for the child and report its end; if the worker goes away meanwhile, end the child and this process."""
    ended = os.pidfd_open(pid)
    with contextlib.suppress(PermissionError, ProcessLookupError):
        os.setpgid(pid, pid)  # here and in the child: whoever comes first, a kill of the group finds it
    try:
        write_frame(control.fileno(), {"forked": pid})
        poll = select.poll()
        poll.register(ended, select.POLLIN)
        poll.register(control, select.POLLIN | select.POLLHUP)
        if ended not in dict(poll.poll()):  # the worker says nothing while a child runs: it is gone
            raise SystemExit(0)
        write_frame(control.fileno(), {"exited": os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])})
    except (BrokenPipeError, SystemExit, ConnectionResetError):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        raise SystemExit(0) from None
    finally:
        os.close(ended)


def _be_child(libc: Any, control: socket.socket, line: int, loaded: Any, outputs: Mapping[str, Table]) -> None:
    """Never returns, and never unwinds into the zygote's code."""
    code = 1
    try:
        os.setpgid(0, 0)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        control.close()
        _silence()
        with contextlib.suppress(OSError):  # where memory runs out, this process goes first, not the worker
            Path("/proc/self/oom_score_adj").write_text("1000")
        hear(lambda told: write_frame(line, {**told, "at": time.monotonic()}))
        while (frame := read_frame(line)) is not None:
            _evaluate(line, pickle.loads(frame[1]), loaded, outputs)  # Works of our own driver
        code = 0
    finally:
        os._exit(code)


def _silence() -> None:
    """Whatever the module prints goes nowhere; the frames have a descriptor of their own."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)


def _evaluate(line: int, works: Sequence[Work], loaded: Any, outputs: Mapping[str, Table]) -> None:
    for number, work in enumerate(works):
        write_frame(line, {"start": number, "at": time.monotonic()})
        _forget_peak()
        started = time.monotonic()
        try:
            told = attempt(work, loaded, outputs)
        except NightmillError as error:
            write_frame(line, {"stop": type(error).__name__, "message": str(error)})
            return
        spent = {"done": number, "seconds": time.monotonic() - started, "peak_mb": _peak_mb()}
        if isinstance(told, Failure):
            write_frame(line, spent | tell_failure(told))
        else:
            header, body = tell_evaluation(told)
            write_frame(line, spent | header, body)
    write_frame(line, {"end": len(works)})


def _forget_peak() -> None:
    """Reset the kernel's high-water mark of this process's memory, so that each Work gets its own."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak_mb() -> float:
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return float(status.partition("VmHWM:")[2].split(maxsplit=1)[0]) / 1024


if __name__ == "__main__":
    main(int(sys.argv[1]))
