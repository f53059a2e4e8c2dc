from __future__ import annotations

import sys
from pathlib import Path

import pytest

from engine.code.closure import closure, find
from engine.errors import ModuleError
from engine.module import CONTRACT_VERSION


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    place = tmp_path / "closed_pkg"
    (place / "deep").mkdir(parents=True)
    (place / "__init__.py").write_text("")
    (place / "deep" / "__init__.py").write_text("from . import sibling\n")
    (place / "deep" / "sibling.py").write_text("import json, numpy\n")
    (place / "deep" / "leaf.py").write_text("")
    (place / "inside.py").write_text("")
    (place / "named.py").write_text("")
    (place / "unused.py").write_text("")
    return place


def names(package: Path, text: str) -> set[str]:
    (package / "main.py").write_text(text)
    return {name.removeprefix("closed_pkg.") for name in closure("closed_pkg.main")}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import json", set()),
        ("import numpy.linalg", set()),
        ("import closed_pkg.inside", {"inside"}),
        ("from closed_pkg import inside", {"inside"}),
        ("from . import inside as other", {"inside"}),
        ("from .inside import thing", {"inside"}),
        ("def f():\n    from closed_pkg import inside", {"inside"}),
        ("try:\n    import missing_thing\nexcept ImportError:\n    import closed_pkg.inside", {"inside"}),
        ("import importlib\nimportlib.import_module('closed_pkg.named')", {"named"}),
        ("import closed_pkg.deep.leaf", {"deep", "deep.sibling", "deep.leaf"}),
        ("from .deep import *", {"deep", "deep.sibling", "deep.leaf"}),
        ("import closed_pkg.main", set()),
    ],
)
def test_what_counts(package: Path, text: str, expected: set[str]) -> None:
    assert names(package, text) == expected | {"closed_pkg", "main"}


def test_relative_import_in_a_package_file_and_upwards(package: Path) -> None:
    (package / "deep" / "leaf.py").write_text("from ..inside import x\nfrom .. import named\n")
    assert {"inside", "named"} <= names(package, "from closed_pkg.deep import leaf")


def test_nothing_is_imported(package: Path) -> None:
    (package / "inside.py").write_text("raise RuntimeError('imported')\n")
    (package / "__init__.py").write_text("raise RuntimeError('imported')\n")
    assert "inside" in names(package, "from closed_pkg import inside")
    assert not [name for name in sys.modules if name.startswith("closed_pkg")]


def test_contract_counts_by_version_and_rooms_by_bytes(package: Path) -> None:
    (package / "main.py").write_text("from engine.module import Table\nfrom engine.work import Work\n")
    found = closure("closed_pkg.main")
    assert found["engine.module"] == f"contract-{CONTRACT_VERSION}"
    assert len(found["engine.work"]) == 64


def test_package_outside_site_packages_counts_though_another(package: Path, tmp_path: Path) -> None:
    (tmp_path / "beside_closed.py").write_text("")
    (package / "main.py").write_text("import beside_closed")
    assert "beside_closed" in closure("closed_pkg.main")


def test_installed_package_counts_only_where_the_reference_lies_in_it(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "lib" / "site-packages"
    (site / "installed_pkg").mkdir(parents=True)
    (site / "installed_pkg" / "__init__.py").write_text("")
    (site / "installed_pkg" / "own.py").write_text("import installed_pkg.more, installed_other")
    (site / "installed_pkg" / "more.py").write_text("")
    (site / "installed_other.py").write_text("")
    monkeypatch.syspath_prepend(str(site))
    (package / "main.py").write_text("import installed_pkg.own")
    assert not [name for name in closure("closed_pkg.main") if name.startswith("installed")]
    assert set(closure("installed_pkg.own")) == {"installed_pkg", "installed_pkg.own", "installed_pkg.more"}


def test_namespace_package_without_init(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "spaced_ns" / "sub").mkdir(parents=True)
    (tmp_path / "spaced_ns" / "sub" / "one.py").write_text("import spaced_ns.sub.two")
    (tmp_path / "spaced_ns" / "sub" / "two.py").write_text("")
    assert {"spaced_ns.sub.one", "spaced_ns.sub.two"} <= set(closure("spaced_ns.sub.one"))


def test_invalid_python_is_named(package: Path) -> None:
    (package / "inside.py").write_text("def (:\n")
    with pytest.raises(ModuleError, match=r"closed_pkg\.inside: .*inside\.py is not valid Python"):
        names(package, "import closed_pkg.inside")


def test_find_gives_none_for_what_does_not_exist() -> None:
    assert find("no_such_package_at_all.sub") is None
    assert find("json.no_such_submodule") is None
    assert find("sys.deeper") is None
