"""A user's own module in a package outside this repository, and raw files for it, to try the command line on."""

from __future__ import annotations

import io
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from jobs.cli import cli
from jobs.exits import ending

CODE = '''
"""Counts the words of a file: a user's own module, as production would have it."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from engine.module import Outcome, Status, Table, Verdict, column

from {package}.words import length

SCHEMA = pa.schema([
    column("subject_id", pa.string(), "1", "subject", required=True),
    column("source_id", pa.string(), "1", "source", required=True),
    column("words", pa.int64(), "1", "number of words"),
    column("mean_length", pa.float64(), "1", "letters a word"),
])


@dataclass(frozen=True)
class Words:
    factor: float = 1.0
    name: str = "words"

    @property
    def outputs(self):
        return {{"words": Table(SCHEMA, ("source_id",), ("source_id",))}}

    def __call__(self, files, source):
        text = b" ".join(file.data for file in files)
        if b"hang" in text:
            while True:
                pass
        if b"crash" in text:
            import os, signal
            os.kill(os.getpid(), signal.SIGSEGV)
        if b"raise" in text:
            raise ValueError("this file is cursed")
        if not text.strip():
            return Outcome.reject(source, ["SIG_EMPTY"], "the file is empty")
        found = text.split()
        row = {{"subject_id": source.subject_id, "source_id": source.source_id, "words": len(found),
               "mean_length": self.factor * sum(map(length, found)) / len(found)}}
        return Outcome({{"words": pa.Table.from_pylist([row], SCHEMA)}})
'''


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Mill:
    """A folder with a user's package and raw files, and the command line used in it."""

    folder: Path
    package: str

    @property
    def module(self) -> str:
        return f"{self.package}.mod:Words"

    def __call__(self, *arguments: str) -> Ended:
        """A command in this process: it saves the seconds that a process takes to start."""
        out, err = io.StringIO(), io.StringIO()
        with chdir(self.folder), redirect_stdout(out), redirect_stderr(err):
            code = ending(lambda: cli.main(list(arguments), standalone_mode=False))
        return Ended(code, out.getvalue(), err.getvalue())

    def apart(self, *arguments: str, timeout: float = 120.0) -> Ended:
        """A command in a process of its own, as a person starts it."""
        command = [sys.executable, "-m", "jobs.cli", *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=timeout, check=False)
        return Ended(done.returncode, done.stdout, done.stderr)

    def file(self, name: str, text: str) -> Path:
        path = self.folder / "raw" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def write_module(self, length: str = "len(word)") -> None:
        """Writes the user's package; `length` is an expression in a file that the module's own file imports."""
        package = self.folder / self.package
        package.mkdir(exist_ok=True)
        (package / "__init__.py").write_text("")
        (package / "words.py").write_text(f"def length(word):\n    return {length}\n")
        (package / "mod.py").write_text(CODE.format(package=self.package))


@pytest.fixture
def mill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mill:
    """Six files of two subjects. Each test has a package of its own name, since Python imports a name only once."""
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setattr(sys, "path", list(sys.path))
    made = Mill(tmp_path, f"mypkg{next(NUMBERS)}")
    made.write_module()
    for subject in ("P01", "P02"):
        for day in range(3):
            made.file(f"{subject}/{1774645200 + day * 86400}_A1.txt", f"night {day} of {subject}")
    return made


NUMBERS = count()
