"""The import rule between rooms, as pyproject.toml states it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("engine", "jobs", "kernels", "configs", "cluster")


def test_rooms_import_only_downwards() -> None:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_run_machinery_knows_no_night() -> None:
    """All of it: the contract in pyproject.toml lists modules, and a new one is easily forgotten there."""
    engine = ROOT / "engine"
    rooms = ("code", "inputs", "planning", "results", "running", "stores", "tables", "workers")
    machinery = [*engine.glob("*.py"), *(path for room in rooms for path in (engine / room).glob("*.py"))]
    lines = [(path.name, line) for path in machinery for line in path.read_text().splitlines()]
    foreign = re.compile(r"\s*(from|import) (kernels|engine\.(night|vitals|simulate|backtest|longitudinal|drift))\b")
    assert [one for one in lines if foreign.match(one[1])] == []


def test_rooms_hold_nothing_in_their_init() -> None:
    written = [str(p) for room in ROOMS for p in (ROOT / room).rglob("__init__.py") if p.read_text().strip()]
    assert written == []


def test_no_room_is_somebody_elses() -> None:
    code = "import " + ", ".join(ROOMS) + "; print('\\n'.join(m.__file__ for m in (" + ", ".join(ROOMS) + ")))"
    done = subprocess.run([sys.executable, "-c", code], cwd="/", capture_output=True, text=True, timeout=60, check=True)
    assert [Path(line).parent for line in done.stdout.split()] == [ROOT / room for room in ROOMS]
