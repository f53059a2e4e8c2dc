"""Forecasting models by name: the built-in ones, a user's own by entry point or reference, and what identifies each."""

from __future__ import annotations

import ast
import dataclasses
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import Any, cast

from engine.backtest.contract import Model
from engine.backtest.grid import ModelSpec
from engine.code.closure import find
from engine.errors import ModuleError, StaleWorker
from engine.identity import canonical_json, identify
from engine.load import build, named, resolve
from engine.module import Module

GROUP = "nightmill.models"
"""Entry points of this group are models by name."""

SEASON = "season_h"
CONTRACT = ("name", "history", "shortest", "updates", "selects", "select", "fit", "predict")

BUILT_IN = {
    name: f"engine.backtest.models.{name}:{kind}"
    for name, kind in {
        "seasonal_naive": "SeasonalNaive",
        "naive": "Naive",
        "window_average": "WindowAverage",
        "theta": "Theta",
        "auto_theta": "AutoTheta",
        "dynamic_optimized_theta": "DynamicOptimizedTheta",
        "ets": "ETS",
        "auto_ets": "AutoETS",
        "holt_winters": "HoltWinters",
        "arima": "Arima",
        "auto_arima": "AutoArima",
        "tbats": "Tbats",
        "auto_tbats": "AutoTbats",
        "stl_naive": "STLNaive",
        "stl_drift": "STLDrift",
        "stlm_ets": "STLMEts",
        "stlm_arima": "STLMArima",
        "ces": "Ces",
        "mfles": "Mfles",
        "regressor": "Regressor",
    }.items()
}


@dataclass(frozen=True, slots=True)
class ModelRef:
    """A model as a value that travels. `name` is as in the tables, `parameters` canonical JSON; sha256 covers
    reference, parameters, the model's first-party code and the versions of the libraries that it imports."""

    name: str
    reference: str
    parameters: str
    sha256: str

    def load(self) -> Model:
        """The model. Raises `StaleWorker` where this process sees other code or libraries than the driver."""
        model = load_model(self.reference, json.loads(self.parameters))
        if _sha256(self.reference, model) != self.sha256:
            raise StaleWorker(
                f"this process finds other code or libraries for model {self.name} ({self.reference}) than the driver: "
                "give all machines the same and restart the workers"
            )
        return model


def spec(text: str, name: str = "", **parameters: Any) -> ModelSpec:
    """A model of a sweep by its built-in name, entry point or reference; in the tables it is called `name`, or so."""
    return ModelSpec(name or text.rpartition(":")[2], text, parameters)


def refer(specs: Iterable[ModelSpec], season_h: int = 24) -> tuple[ModelRef, ...]:
    """The models of a sweep, each loaded once to learn its identity. `season_h` is for models that have a parameter of
    this name and were not given it. Raises `ModuleError` where a name is unknown, the nearest named, where two have the
    same name in the tables, or a model does not keep the contract."""
    refs = list[ModelRef]()
    for one in specs:
        if one.name in [ref.name for ref in refs]:
            raise ModuleError(f"two models are called {one.name!r}: give one of them another name")
        resolved = resolve(one.reference, GROUP, BUILT_IN)
        seasonal = SEASON in getattr(named(resolved), "__dataclass_fields__", ()) and SEASON not in one.parameters
        model = load_model(resolved, {**one.parameters, **({SEASON: season_h} if seasonal else {})})
        refs.append(ModelRef(one.name, resolved, _parameters(resolved, model), _sha256(resolved, model)))
    return tuple(refs)


def load_model(reference: str, parameters: Mapping[str, Any]) -> Model:
    """The model that a built-in name, an entry point or `package.module:Name` names, with these parameters."""
    resolved = resolve(reference, GROUP, BUILT_IN)
    thing = named(resolved)
    if not dataclasses.is_dataclass(thing):
        raise ModuleError(f"{resolved} is a {type(thing).__name__}: a model is a frozen dataclass")
    model = build(resolved, thing, parameters)
    if not type(model).__dataclass_params__.frozen:
        raise ModuleError(f"{resolved} is not frozen: write @dataclass(frozen=True)")
    missing = [part for part in CONTRACT if not hasattr(model, part)]
    if missing:
        raise ModuleError(f"{resolved} does not keep the contract of engine.backtest.contract: it lacks {missing[0]!r}")
    return cast(Model, model)


def _parameters(reference: str, model: Model) -> str:
    return identify(reference, cast(Module, model)).parameters


def _sha256(reference: str, model: Model) -> str:
    identity = identify(reference, cast(Module, model))
    text = canonical_json({"identity": identity.sha256, "libraries": _libraries(tuple(identity.closure))})
    return hashlib.sha256(text.encode()).hexdigest()


@lru_cache(maxsize=256)
def _libraries(modules: tuple[str, ...]) -> dict[str, str]:
    """Versions of the installed packages that these first-party modules import: a new statsforecast is a new model."""
    own = {name.partition(".")[0] for name in modules}
    tops = {top for name in modules for top in _tops(name)} - own - set(sys.stdlib_module_names)
    return {top: _version(top) for top in sorted(tops)}


def _tops(module: str) -> Iterator[str]:
    found = find(module)
    if found is None or not found.has_location or not (found.origin or "").endswith(".py"):
        return
    for node in ast.walk(ast.parse(Path(cast(str, found.origin)).read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def _version(top: str) -> str:
    for name in (top, *_distributions().get(top, ())):
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return "unknown"


@lru_cache(maxsize=1)
def _distributions() -> dict[str, list[str]]:
    return dict(packages_distributions())
