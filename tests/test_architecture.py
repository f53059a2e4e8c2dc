"""The walk of ARCHITECTURE.md leads to things that exist, and the style budgets hold."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("engine", "jobs", "kernels", "configs", "cluster")
VAGUE = {"utils", "util", "core", "helpers", "helper", "common", "base", "manager", "handler"}
FILES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))


def mentioned(page: str) -> list[str]:
    return re.findall(r"`([^`\n]+)`", (ROOT / page).read_text())


@pytest.mark.parametrize("page", ["ARCHITECTURE.md", "README.md"])
def test_every_file_that_a_page_names_exists(page: str) -> None:
    paths = [word for word in mentioned(page) if re.fullmatch(r"[\w./-]+/|[\w./-]+/[\w-]+\.(py|md|yaml)", word)]
    paths = [word for word in paths if word.split("/")[0] in {p.name for p in ROOT.iterdir()}]
    assert paths, f"{page} names no file"
    assert [word for word in paths if not (ROOT / word).exists()] == []


def test_every_name_of_the_walk_is_defined_where_it_says() -> None:
    pairs = [word.split(":") for word in mentioned("ARCHITECTURE.md") if re.fullmatch(r"[\w/]+\.py:[\w.]+", word)]
    assert len(pairs) >= 8
    lost = [f"{file}:{name}" for file, name in pairs if name not in defined(ROOT / file)]
    assert lost == []


def defined(path: Path) -> set[str]:
    """Top-level names of a file, and Class.method."""
    names: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            names.update(f"{node.name}.{item.name}" for item in node.body if isinstance(item, ast.FunctionDef))
        if isinstance(node, ast.Assign):
            names.update(target.id for target in node.targets if isinstance(target, ast.Name))
    return names


def test_every_room_file_is_within_its_budget() -> None:
    long = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in FILES}
    assert {name: lines for name, lines in long.items() if lines > 300} == {}


def test_every_function_is_within_its_budget() -> None:
    over = []
    for path in FILES:
        most = 60 if path.is_relative_to(ROOT / "kernels") else 40
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and length(node) > most:
                over.append(f"{path.relative_to(ROOT)}:{node.name} {length(node)}")
    assert over == []


def length(node: ast.FunctionDef) -> int:
    """Lines of the body without the docstring."""
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return (node.end_lineno or 0) - body[0].lineno + 1 if body else 1


def test_no_file_has_a_vague_name() -> None:
    assert [str(path) for path in FILES if path.stem in VAGUE] == []


def test_the_engine_catches_everything_in_one_place_only() -> None:
    broad = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in FILES
        if path.is_relative_to(ROOT / "engine")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ExceptHandler) and swallows_everything(node)
    ]
    assert len(broad) <= 1, broad


def swallows_everything(handler: ast.ExceptHandler) -> bool:
    """Cleaning up and raising again is no swallowing."""
    is_broad = handler.type is None or ast.unparse(handler.type) in ("Exception", "BaseException")
    last = handler.body[-1]
    return is_broad and not (isinstance(last, ast.Raise) and last.exc is None)


def test_nothing_committed_names_the_folder_that_it_lies_in() -> None:
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("requirements.lock"), *FILES]
    named = [str(page) for page in pages if f"{ROOT}/" in page.read_text()]
    assert named == []
