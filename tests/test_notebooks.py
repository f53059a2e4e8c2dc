"""Notebooks run from top to bottom as scripts, and say what they promise."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).resolve().parents[1] / "notebooks").glob("*.py"))
PROMISES = {
    "one_night": (
        "the call's heart rates equal the stages': True",
        ["diagnostics.png", "epochs.png", "pulse.png", "sleep.png"],
    ),
    "one_backtest": ("every attempted fit is a row with a status: True", ["curves.png", "origin.png"]),
}
"""What each says, and the plots that it draws."""


def test_every_notebook_promises_something() -> None:
    assert {path.stem for path in NOTEBOOKS} == set(PROMISES)


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
    said, plots = PROMISES[path.stem]
    assert said in done.stdout
    assert sorted(plot.name for plot in tmp_path.glob("*.png")) == plots
