"""Ctrl-C before and after a command's work: one line or none, never a traceback."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.exits import ending

INTERRUPTS_ITSELF = """
import atexit, os, signal, sys
place = os.environ["INTERRUPTED_AT"]
class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == place:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder)
if place == "exit":
    atexit.register(os.kill, os.getpid(), signal.SIGINT)
"""


@pytest.mark.parametrize(
    ("place", "code", "said"),
    [
        ("pyarrow", 130, "nightmill: interrupted; the same command resumes\n"),
        ("engine.night.signals.calibration", 130, "nightmill: interrupted; the same command resumes\n"),
        (
            "exit",
            -signal.SIGINT,
            "error: nowhere: no nightmill output here; `nightmill reprocess … -o nowhere` makes one\n",
        ),
    ],
)
def test_a_command_that_loads_or_ends(place: str, code: int, said: str, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(INTERRUPTS_ITSELF)
    ended = subprocess.run(
        [sys.executable, "-m", "jobs.cli", "calibrate", "nowhere", "table.csv"],
        check=False,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path), "INTERRUPTED_AT": place},
        capture_output=True,
        text=True,
    )
    assert (ended.returncode, ended.stderr) == (code, said)


def test_one_that_compiled_code_swallows(capsys: pytest.CaptureFixture[str]) -> None:
    """As in Numba's compiler, which then misses what its callback should have given."""

    def interrupted() -> None:
        raise KeyboardInterrupt

    def command() -> None:
        ctypes.CFUNCTYPE(None)(interrupted)()
        raise RuntimeError("no compiled object yet")

    assert ending(command) == 130
    assert capsys.readouterr().err == "nightmill: interrupted; the same command resumes\n"
