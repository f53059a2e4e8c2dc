"""Notebooks run from top to bottom as scripts, and say what they promise."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).resolve().parents[1] / "notebooks").glob("*.py"))


def test_there_is_a_notebook_of_one_night() -> None:
    assert "one_night.py" in [path.name for path in NOTEBOOKS]


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs_as_a_script(path: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the notebooks need the extra `notebooks`")
    environment = {**os.environ, "MPLBACKEND": "Agg", "NIGHTMILL_PLOTS": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, str(path)],
        check=False,
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "the call's heart rates equal the stages': True" in done.stdout
    assert sorted(plot.name for plot in tmp_path.glob("*.png")) == ["epochs.png", "pulse.png", "sleep.png"]
