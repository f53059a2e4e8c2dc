"""Ctrl-C and SIGTERM during a run on a cluster: what runs is finished and committed, and the next command goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from engine import ledger
from engine.storage import Store
from tests.engine.outputs import digests
from tests.jobs.conftest import Mill

pytestmark = pytest.mark.slow
FILES = 24
SLOW = """
import time
from pathlib import Path

def length(word):
    if Path("slow").exists():  # no module should; but its code, and so its identity, stays the same
        time.sleep(0.05)
    return len(word)
"""
Signals = Callable[[subprocess.Popen[bytes]], None]


@pytest.fixture
def slow(mill: Mill) -> Mill:
    """Each file takes 0.2 s, as long as there is a file `slow`."""
    (mill.folder / "slow").touch()
    (mill.folder / mill.package / "words.py").write_text(SLOW)
    for number in range(6, FILES):
        mill.file(f"P{number:02d}/1774645200_A1.txt", f"night 0 of P{number}")
    return mill


@contextmanager
def _running(mill: Mill) -> Iterator[subprocess.Popen[bytes]]:
    """A run on two workers, in a process group of its own as in a terminal, once its first files are committed."""
    settings = mill.folder / "run.yaml"
    settings.write_text("inputs: [{uri: raw, include: ['*.txt']}]\noutput: out\ncommit: {seconds: 0.1}\n")
    arguments = ["reprocess", "run.yaml", "-m", mill.module, "--workers", "2", "--batch", "1"]
    with subprocess.Popen(
        [sys.executable, "-m", "jobs.cli", *arguments],
        cwd=mill.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as driver:
        try:
            _wait(lambda: ledger.entries(_output(mill)).height > 0 or driver.poll() is not None)
            yield driver
        finally:
            if driver.poll() is None:
                os.killpg(driver.pid, signal.SIGKILL)


def _wait(is_so: Callable[[], bool], seconds: float = 90.0) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.05)


def _output(mill: Mill) -> Store:
    return Store(mill.folder / "out")


def _group(number: signal.Signals) -> Signals:
    return lambda driver: os.killpg(driver.pid, number)


def _driver_only(number: signal.Signals) -> Signals:
    return lambda driver: os.kill(driver.pid, number)


@pytest.mark.parametrize(
    "send",
    [_group(signal.SIGINT), _driver_only(signal.SIGTERM), _group(signal.SIGTERM)],
    ids=["ctrl-c", "sigterm", "sigterm-to-all"],
)
def test_the_first_signal_drains(slow: Mill, send: Signals) -> None:
    with _running(slow) as driver:
        send(driver)
        said, _ = driver.communicate(timeout=60)
    assert driver.returncode == 130, said
    assert b"the same command" in said and b"Traceback" not in said
    told = ledger.entries(_output(slow))
    assert 0 < told.height < FILES
    assert set(told["status"]) == {"ok"}
    assert ledger.runs(_output(slow))["state"].to_list() == ["interrupted"]
    assert _left(slow.folder) == []
    _finish(slow)


def test_the_second_stops_at_once(slow: Mill) -> None:
    with _running(slow) as driver:
        os.killpg(driver.pid, signal.SIGINT)
        time.sleep(0.05)
        os.killpg(driver.pid, signal.SIGINT)
        said, _ = driver.communicate(timeout=60)
    assert driver.returncode == 130, said
    assert b"Traceback" not in said
    assert ledger.entries(_output(slow)).height < FILES
    _wait(lambda: _left(slow.folder) == [], 20)
    _finish(slow)


def _finish(mill: Mill) -> None:
    """The same command goes on, and an undisturbed run has the same rows."""
    (mill.folder / "slow").unlink()
    for output in ("out", "whole"):
        told = ("-o", output, "-m", mill.module, "--include", "*.txt", "--in-process")
        assert mill("reprocess", "raw", *told).returncode == 0
    tables = ("words", "files")
    assert digests(_output(mill), tables) == digests(Store(mill.folder / "whole"), tables)


def _left(folder: Path) -> list[str]:
    """Processes that work in the folder: drivers, workers, zygotes, children."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(folder) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.cmdline()))
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found
