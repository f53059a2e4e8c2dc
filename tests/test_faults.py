"""Every fault that docs/faults.md tells of is tried by the test that it names."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs/faults.md").read_text().splitlines()
    if line.startswith("|") and not line.startswith(("|---", "| fault"))
]


def defined_in(file: str) -> set[str]:
    path = ROOT / file
    body = ast.parse(path.read_text()).body if path.is_file() else []
    return {node.name for node in body if isinstance(node, ast.FunctionDef)}


def test_every_row_names_a_test_that_exists() -> None:
    named = [row[4].strip("`").split("::") for row in ROWS]
    assert [f"{file}::{name}" for file, name in named if name not in defined_in(file)] == []


def test_every_row_says_what_one_sees() -> None:
    assert len(ROWS) >= 50
    assert [row for row in ROWS if len(row) != 5 or not all(row)] == []
    assert [row[3] for row in ROWS if not re.fullmatch(r"–|(0|2|3|4|130)(, (0|2|3|4|130))*", row[3])] == []
    assert len({row[0] for row in ROWS}) == len(ROWS)
