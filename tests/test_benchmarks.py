"""Benchmarks still run. What they measure is not judged here: no test depends on time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "options", "rows"),
    [
        ("night_speed.py", ["--hours", "1", "--repeats", "1"], 4),
        ("engine_overhead.py", ["--files", "4"], 5),
        ("plan_scale.py", ["--files", "3000"], 6),
    ],
)
def test_benchmark_prints_and_writes_its_table(script: str, options: list[str], rows: int, tmp_path: Path) -> None:
    result = tmp_path / "result.json"
    done = subprocess.run(
        [sys.executable, str(BENCHMARKS / script), *options, "--json", str(result)],
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert len(json.loads(result.read_text())) == rows
    assert done.stdout.count("\n") >= rows
