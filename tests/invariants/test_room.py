"""The tables of invariants, and of the traps of backtesting, are whole and name only tests that are there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = {"tests/invariants/README.md": 12, "tests/engine/backtest/README.md": 18}


def rows(page: str) -> list[tuple[str, str, str]]:
    """Number, name and tests of each row."""
    return re.findall(r"^\| (\d+) \| (.+?) \| (.+) \|$", (ROOT / page).read_text(), re.MULTILINE)


@pytest.mark.parametrize(("page", "count"), PAGES.items())
def test_all_are_there(page: str, count: int) -> None:
    assert [int(number) for number, _, _ in rows(page)] == list(range(1, count + 1))


@pytest.mark.parametrize(
    ("name", "carried"), [row[1:] for page in PAGES for row in rows(page)], ids=lambda text: text[:20]
)
def test_the_named_tests_are_there(name: str, carried: str) -> None:
    named = re.findall(r"`(tests/\S+\.py)::(\w+)`", carried)
    assert named, name
    for path, test in named:
        defined = {node.name for node in ast.parse((ROOT / path).read_text()).body if isinstance(node, ast.FunctionDef)}
        assert test in defined, f"{path} has no {test}"
