from __future__ import annotations

import json
import pickle
import sys
from collections.abc import Iterator
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest

from engine.errors import ModuleError, StaleWorker
from engine.load import ModuleRef, load_module, refer, resolve
from engine.module import Module, RawFile, Source
from tests.engine.users import write_package


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A user's package `loaded_pkg` on the path, forgotten afterwards."""
    monkeypatch.syspath_prepend(str(tmp_path))
    yield write_package(tmp_path, "loaded_pkg")
    for name in [name for name in sys.modules if name.partition(".")[0] == "loaded_pkg"]:
        del sys.modules[name]


SOURCE = Source("s/2020-01-01", ("a.zip",), "s")
FILES = [RawFile("a.zip", b"PK12")]


def test_a_users_module_loads_and_runs(place: Path) -> None:
    module = load_module("loaded_pkg.module:Sizes", {"factor": 3, "bands": [4, 5]})
    assert isinstance(module, Module)
    assert module(FILES, SOURCE).tables["sizes"].to_pylist() == [{"source_id": "s/2020-01-01", "size": 12.0}]
    assert module.bands == (4, 5)  # type: ignore[attr-defined]
    with pytest.raises(FrozenInstanceError):
        module.factor = 1.0  # type: ignore[attr-defined]


def test_a_bare_function_is_a_module_with_keyword_parameters(place: Path) -> None:
    ref, identity = refer("loaded_pkg.module:bare", {})
    assert json.loads(identity.parameters) == {"factor": 2.0}
    module = pickle.loads(pickle.dumps(ref)).load()
    assert module.name == "bare"
    assert module(FILES, SOURCE).tables["sizes"]["size"].to_pylist() == [8.0]
    assert ref.outputs(module).keys() == {"sizes"}
    assert pickle.loads(pickle.dumps(module)) == module


def test_identity_changes_with_code_and_parameters_only(place: Path) -> None:
    def module_id(**parameters: Any) -> str:
        return refer("loaded_pkg.module:Sizes", parameters)[1].module_id

    first = module_id()
    assert first.startswith("user-sizes-")
    assert module_id(factor=1) == module_id(factor=1.0, bands=[1, 2]) == first
    assert module_id(factor=1.5) != first
    (place / "unrelated.py").write_text("x = 2\n")
    assert module_id() == first
    helper = place / "helper.py"
    helper.write_text(helper.read_text() + "# changed\n")
    assert module_id() != first


def test_a_worker_with_other_code_is_refused(place: Path) -> None:
    ref, identity = refer("loaded_pkg.module:Sizes", {"factor": 2.5})
    assert isinstance(ref.load(), Module)
    (place / "helper.py").write_text("def total(files):\n    return 0\n")
    with pytest.raises(StaleWorker, match=identity.module_id):
        ref.load()


def test_package_in_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_package(tmp_path, "here_pkg")
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    monkeypatch.chdir(tmp_path)
    assert load_module("here_pkg.module:Sizes", {}).name == "User Sizes"


@pytest.mark.parametrize(
    ("reference", "parameters", "message"),
    [
        ("loaded_pkg.modul:Sizes", {}, "no Python module 'loaded_pkg.modul'.*did you mean loaded_pkg.module"),
        ("loaded_pgk.module:Sizes", {}, "no Python module 'loaded_pgk'.*did you mean loaded_pkg"),
        ("loaded_pkg.module:Size", {}, "has no 'Size' .did you mean Sizes"),
        ("loaded_pkg.module:Sizes", {"facter": 1}, "no parameter 'facter' .did you mean factor"),
        ("loaded_pkg.module:bare", {"facter": 1}, "no parameter 'facter' .did you mean factor"),
        ("loaded_pkg.module:Sizes", {"factor": "big"}, "factor must be float, not 'big'"),
        ("loaded_pkg.module:SIZES", {}, "does not keep the contract"),
        ("loaded_pkg.helper:total", {}, "has no `outputs`"),
        ("loaded_pkg.module:pa", {}, "is a module: a module is a frozen dataclass or a function"),
        ("__main__:Sizes", {}, "must live in a file"),
        ("no-such-module", {}, "neither package.module:Name nor an installed name.*installed: .*night"),
        ("nigth", {}, "did you mean night"),
    ],
)
def test_errors_say_what_to_do(place: Path, reference: str, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ModuleError, match=f"(?s){message}"):
        load_module(reference, parameters)


WRAPPED = """
from collections.abc import Mapping
from dataclasses import dataclass, field
from engine.module import Table
from loaded_pkg.module import SIZES

@dataclass(frozen=True)
class Band:
    low_hz: float = 0.5

@dataclass(frozen=True)
class Nested:
    name = "nested"
    outputs = {"sizes": SIZES}
    band: Band = Band()
    limit: float | None = None
    def __post_init__(self):
        if self.band.low_hz > 10: raise ValueError("low_hz must be at most 10")
    def __call__(self, files, source): ...

@dataclass
class Thawed(Nested.__mro__[1]):
    def __call__(self, files, source): ...

@dataclass(frozen=True)
class Stowaway:
    name = "stowaway"
    outputs: Mapping = field(default_factory=lambda: {"sizes": SIZES})
    def __call__(self, files, source): ...

@dataclass(frozen=True)
class Loose:
    name = "loose"
    outputs = {"sizes": "no table"}
    def __call__(self, files, source): ...

ready = Nested(Band(2.0))
"""


def test_nested_parameters_travel(place: Path) -> None:
    (place / "more.py").write_text(WRAPPED)
    ref, identity = refer("loaded_pkg.more:Nested", {"band": {"low_hz": 1}, "limit": 2})
    assert json.loads(identity.parameters) == {"band": {"low_hz": 1.0}, "limit": 2.0}
    assert ref.load().band.low_hz == 1.0  # type: ignore[attr-defined]
    assert json.loads(refer("loaded_pkg.more:ready", {})[1].parameters) == {"band": {"low_hz": 2.0}, "limit": None}
    with pytest.raises(ModuleError, match="refuses its parameters: ValueError: low_hz must be at most 10"):
        load_module("loaded_pkg.more:Nested", {"band": {"low_hz": 11}})
    with pytest.raises(ModuleError, match=r"parameter band has no parameter 'low_hs' .did you mean low_hz"):
        load_module("loaded_pkg.more:Nested", {"band": {"low_hs": 1}})


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Thawed", "is not frozen"),
        ("Stowaway", "parameter outputs.* JSON cannot hold"),
        ("Loose", "output 'sizes' lacks schema: use engine.module.Table"),
    ],
)
def test_what_is_no_module(place: Path, name: str, message: str) -> None:
    (place / "more.py").write_text(WRAPPED)
    with pytest.raises(ModuleError, match=message):
        refer(f"loaded_pkg.more:{name}", {})


def test_a_module_that_fails_at_import_is_named(place: Path) -> None:
    (place / "broken.py").write_text("import no_such_library_anywhere\n")
    with pytest.raises(ModuleError, match=r"importing loaded_pkg\.broken failed: ModuleNotFoundError"):
        load_module("loaded_pkg.broken:X", {})
    (place / "syntax.py").write_text("def (:\n")
    with pytest.raises(ModuleError, match=r"importing loaded_pkg\.syntax failed: SyntaxError"):
        load_module("loaded_pkg.syntax:X", {})


def test_entry_point_names_are_resolved_before_they_count() -> None:
    assert resolve("night") == "engine.night.night:Night"
    assert resolve("a.b:C") == "a.b:C"


def test_a_reference_is_small() -> None:
    assert len(pickle.dumps(ModuleRef("a.b:C", "{}", "c-0123456789ab"))) < 300
