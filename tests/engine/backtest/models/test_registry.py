"""Models by name: built-in, a user's own, and what identifies them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from engine.backtest.contract import Model
from engine.backtest.grid import ModelSpec
from engine.backtest.models import registry
from engine.backtest.models.registry import BUILT_IN, ModelRef, load_model, refer, spec
from engine.errors import ModuleError, StaleWorker
from engine.load import named

OWN = """
from dataclasses import dataclass
import numpy as np
from engine.backtest.contract import Fitted, History, Paths

@dataclass(frozen=True)
class Last:
    scale: float = 1.0
    season_h: int = 24
    name = "last"
    history = History.ANY
    shortest = 1
    updates = True
    selects = False
    def select(self, y, evaluations): return ""
    def fit(self, y, form, warm, evaluations): return Fitted({"last": float(y[-1]) * self.scale})
    def predict(self, params, after, at, steps): return Paths(np.full((at.size, steps), params["last"]))

@dataclass
class Thawed(Last.__mro__[1]):
    name: str = "thawed"

@dataclass(frozen=True)
class Half:
    name = "half"
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "own_models.py").write_text(OWN)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "own_models", raising=False)
    return tmp_path


def test_built_in_references_say_where_a_model_is() -> None:
    assert all(reference.startswith(f"engine.backtest.models.{name}:") for name, reference in BUILT_IN.items())


@pytest.mark.parametrize("name", ["seasonal_naive", "naive", "window_average"])
def test_built_in_models_keep_the_contract(name: str) -> None:
    model = load_model(name, {})
    assert isinstance(model, Model)
    assert model.name == name
    (ref,) = refer([spec(name)])
    assert ref.reference == BUILT_IN[name]
    assert ref.load() == model


def test_the_season_of_the_sweep_is_the_models() -> None:
    given, asked, other = refer(
        [spec("seasonal_naive"), spec("seasonal_naive", "twelve", season_h=12), spec("naive")], season_h=7
    )
    assert given.parameters == '{"season_h":7}' and asked.parameters == '{"season_h":12}'
    assert "season" not in other.parameters


def test_a_users_own_model(own: Path) -> None:
    (ref,) = refer([ModelSpec("mine", "own_models:Last", {"scale": 2})])
    assert ref.name == "mine" and ref.parameters == '{"scale":2.0,"season_h":24}'
    model = ref.load()
    assert isinstance(model, Model)
    (again,) = refer([ModelSpec("renamed", "own_models:Last", {"scale": 2.0})])
    assert again.sha256 == ref.sha256
    (other,) = refer([ModelSpec("mine", "own_models:Last", {"scale": 3})])
    assert other.sha256 != ref.sha256


def test_changed_code_is_another_model(own: Path) -> None:
    (ref,) = refer([ModelSpec("mine", "own_models:Last")])
    (own / "own_models.py").write_text(OWN + "# changed\n")
    with pytest.raises(StaleWorker, match="model mine"):
        ref.load()


def test_a_new_library_is_another_model(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (ref,) = refer([ModelSpec("mine", "own_models:Last")])
    versions = {"numpy": "99"}
    monkeypatch.setattr(registry, "_version", lambda top: versions.get(top, "1"))
    registry._libraries.cache_clear()
    (other,) = refer([ModelSpec("mine", "own_models:Last")])
    registry._libraries.cache_clear()
    assert other.sha256 != ref.sha256


@pytest.mark.parametrize(
    ("reference", "parameters", "message"),
    [
        ("seasonal_nave", {}, "model 'seasonal_nave'.*did you mean seasonal_naive"),
        ("own_models:Lost", {}, "did you mean Last"),
        ("own_models:Last", {"scael": 1}, "no parameter 'scael'.*scale"),
        ("own_models:Half", {}, "does not keep the contract.*lacks 'history'"),
        ("own_models:Thawed", {}, "is not frozen"),
        ("own_models:np", {}, "a model is a frozen dataclass"),
    ],
)
def test_errors_say_what_to_do(own: Path, reference: str, parameters: dict[str, object], message: str) -> None:
    with pytest.raises(ModuleError, match=f"(?s){message}"):
        refer([ModelSpec("m", reference, parameters)])


def test_two_models_of_one_name_are_refused() -> None:
    with pytest.raises(ModuleError, match="two models are called 'naive'"):
        refer([spec("naive"), spec("seasonal_naive", "naive")])


def test_an_entry_point_is_a_name(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = own / "own_models-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: own-models\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[nightmill.models]\nmy_last = own_models:Last\n")
    (ref,) = refer([spec("my_last")])
    assert ref == ModelRef("my_last", "own_models:Last", ref.parameters, ref.sha256)
    assert named(ref.reference) is type(ref.load())
