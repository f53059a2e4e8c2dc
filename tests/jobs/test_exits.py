"""What is raised becomes one clear line and an exit code, never a traceback on the terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import click
import pytest

from engine.errors import (
    BudgetExceeded,
    ConfigError,
    InfrastructureError,
    InputUnreadable,
    Interrupted,
    ModuleError,
    OutputBusy,
)
from jobs.exits import ending


def raising(error: BaseException) -> NoReturn:
    raise error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("mill.yaml: unknown key 'zon'"), 2),
        (ModuleError("no Python module 'mine'"), 2),
        (OutputBusy("run X on host Y commits here"), 2),
        (click.UsageError("No such command 'reproces'."), 2),
        (BudgetExceeded("21 of 100 files failed"), 4),
        (InfrastructureError("no worker answers"), 4),
        (InputUnreadable("a.zip: gone"), 4),
        (Interrupted("stopped"), 130),
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
    ],
)
def test_every_error_has_its_exit_code(error: BaseException, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert ending(lambda: raising(error)) == code
    said = capsys.readouterr().err
    assert "Traceback" not in said
    if code == 2:
        assert said == f"error: {error.format_message() if isinstance(error, click.ClickException) else error}\n"
    else:
        assert "the same command resumes" in said


def test_a_command_that_returns_nothing_has_finished() -> None:
    assert ending(lambda: None) == 0
    assert ending(lambda: 3) == 3


def test_a_bug_goes_to_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert ending(lambda: raising(ZeroDivisionError("by zero"))) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: a bug of nightmill: ZeroDivisionError: by zero\n") and "Traceback" not in said
    (written,) = (tmp_path / "nightmill").glob("bug-*.txt")
    assert "Traceback" in written.read_text() and written.name in said


def test_nobody_reads_on() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "jobs.cli", "--help"]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, timeout=120, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (4, "")
