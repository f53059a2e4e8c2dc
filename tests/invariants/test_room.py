"""The room's table names every invariant, and only tests that are there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROWS = re.findall(r"^\| (\d+) \| (.+?) \| (.+) \|$", (Path(__file__).parent / "README.md").read_text(), re.MULTILINE)


def test_all_twelve() -> None:
    assert [int(number) for number, _, _ in ROWS] == list(range(1, 13))


@pytest.mark.parametrize(
    ("name", "carried"), [(name, carried) for _, name, carried in ROWS], ids=lambda text: text[:20]
)
def test_the_named_tests_are_there(name: str, carried: str) -> None:
    named = re.findall(r"`(tests/\S+\.py)::(\w+)`", carried)
    assert named, name
    for path, test in named:
        defined = {node.name for node in ast.parse((ROOT / path).read_text()).body if isinstance(node, ast.FunctionDef)}
        assert test in defined, f"{path} has no {test}"
