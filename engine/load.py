"""Loading a module by reference, in the driver and, verified, in every worker. Failing to load is fatal."""

from __future__ import annotations

import dataclasses
import difflib
import importlib
import inspect
import json
import pkgutil
import sys
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from types import MappingProxyType
from typing import Any

from engine.code.closure import find
from engine.code.declared import complaints
from engine.code.function import FunctionModule, keyword_defaults
from engine.errors import ModuleError
from engine.identity import Identity, identify, refuse_other_code
from engine.module import Module, Table

GROUP = "nightmill.modules"
LOADING_ERRORS = (
    ArithmeticError,
    AttributeError,
    ImportError,
    LookupError,
    NameError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)
"""What importing or building a user's module may raise; each becomes a `ModuleError` that names the module."""


@dataclass(frozen=True, slots=True)
class ModuleRef:
    """A module as a value that travels (see `engine.work.Mapped`). `parameters` is canonical JSON."""

    reference: str
    parameters: str
    module_id: str

    def load(self) -> Module:
        """The module. Raises `StaleWorker` where this process sees other code than the driver."""
        module = load_module(self.reference, json.loads(self.parameters))
        refuse_other_code(identify(self.reference, module), self.module_id)
        return module

    def outputs(self, loaded: Module) -> Mapping[str, Table]:
        return loaded.outputs


def refer(reference: str, parameters: Mapping[str, Any]) -> tuple[ModuleRef, Identity]:
    """Load once to learn the identity, and give the reference that workers load from."""
    resolved = resolve(reference)
    identity = identify(resolved, load_module(resolved, parameters))
    return ModuleRef(resolved, identity.parameters, identity.module_id), identity


def resolve(reference: str, group: str = GROUP, built_in: Mapping[str, str] = MappingProxyType({})) -> str:
    """`package.module:Name` of a reference, a built-in name or an entry point's. Raises `ModuleError` if it is none."""
    if ":" in reference:
        return reference
    known = {entry.name: entry.value for entry in entry_points(group=group)} | dict(built_in)
    if reference in known:
        return known[reference]
    raise ModuleError(
        f"{group.partition('.')[2].removesuffix('s')} {reference!r} is neither package.module:Name nor an installed "
        f"name{_nearest(reference, known)}; installed: {', '.join(sorted(known)) or 'none'}"
    )


def load_module(reference: str, parameters: Mapping[str, Any]) -> Module:
    """The module that `package.module:Name` or an entry point names, with these parameters set.

    Lists become tuples and whole numbers floats where a field wants them. Raises `ModuleError` with what to do.
    """
    resolved = resolve(reference)
    thing = named(resolved)
    if inspect.isfunction(thing):
        module: Any = _wrap(resolved, thing, parameters)
    elif dataclasses.is_dataclass(thing):
        module = build(resolved, thing, parameters)
    else:
        raise ModuleError(f"{resolved} is a {type(thing).__name__}: a module is a frozen dataclass or a function")
    return _checked(resolved, module)


def named(resolved: str) -> Any:
    """What `package.module:Name` names, imported. The current folder is searched after everything else, so that a
    package beside the data is found. Raises `ModuleError`."""
    path, _, name = resolved.partition(":")
    here = str(Path.cwd())
    if here not in sys.path and "" not in sys.path:
        sys.path.append(here)
    importlib.invalidate_caches()
    return _attribute(resolved, _import(path), name)


def _import(path: str) -> Any:
    if path in ("", "__main__"):
        raise ModuleError("a module must live in a file that workers can import: write package.module:Name")
    parents = [path.rsplit(".", count)[0] for count in range(path.count("."), -1, -1)]
    for parent in parents:
        if parent not in sys.modules and find(parent) is None:
            raise ModuleError(
                f"no Python module {parent!r} to load {path!r} from{_nearest(parent, _siblings(parent))}; "
                "is its folder the current one or on PYTHONPATH?"
            )
    try:
        return importlib.import_module(path)
    except LOADING_ERRORS as error:
        raise ModuleError(f"importing {path} failed: {type(error).__name__}: {error}") from error


def _siblings(path: str) -> list[str]:
    """Names beside a missing module: its parent's submodules, or every top-level module."""
    parent = path.rpartition(".")[0]
    if not parent:
        return [info.name for info in pkgutil.iter_modules()]
    spec = find(parent)
    places = spec.submodule_search_locations if spec else None
    return [f"{parent}.{info.name}" for info in pkgutil.iter_modules(places or [])]


def _attribute(reference: str, owner: Any, name: str) -> Any:
    for part in name.split("."):
        if not hasattr(owner, part):
            raise ModuleError(f"{reference}: {owner.__name__} has no {part!r}{_nearest(part, dir(owner))}")
        owner = getattr(owner, part)
    return owner


def _wrap(reference: str, function: Any, parameters: Mapping[str, Any]) -> FunctionModule:
    if not hasattr(function, "outputs"):
        raise ModuleError(f"{reference} has no `outputs`: set {function.__name__}.outputs = {{table: Table(…)}}")
    known = keyword_defaults(function)
    _refuse_unknown(reference, parameters, known)
    values = known | {name: _tuples(value) for name, value in parameters.items()}
    missing = sorted(name for name, value in values.items() if value is inspect.Parameter.empty)
    if missing:
        raise ModuleError(f"{reference}: parameter {missing[0]} has no default and was not given")
    return FunctionModule(function, values)


def build(reference: str, thing: Any, parameters: Mapping[str, Any]) -> Any:
    """A dataclass with these fields, nested dataclasses included; of an instance, a copy with these fields replaced.

    Raises `ModuleError` where a field is unknown, of another kind, or refused."""
    fields = {field.name: field for field in dataclasses.fields(thing) if field.init}
    _refuse_unknown(reference, parameters, fields)
    kind = thing if isinstance(thing, type) else type(thing)
    hints = _hints(kind)
    values = {name: _fitted(reference, name, hints.get(name), value) for name, value in parameters.items()}
    try:
        return thing(**values) if isinstance(thing, type) else dataclasses.replace(thing, **values)
    except LOADING_ERRORS as error:
        raise ModuleError(f"{reference} refuses its parameters: {type(error).__name__}: {error}") from error


def _hints(kind: type) -> dict[str, Any]:
    try:
        return typing.get_type_hints(kind)
    except (NameError, TypeError, AttributeError):
        return {}


def _fitted(reference: str, name: str, kind: Any, value: Any) -> Any:
    """A JSON or YAML value as the field wants it."""
    if isinstance(kind, type) and dataclasses.is_dataclass(kind) and isinstance(value, Mapping):
        return build(f"{reference} parameter {name}", kind, value)
    kinds = typing.get_args(kind) or (kind,)
    if float in kinds and int not in kinds and type(value) is int:
        return float(value)
    wrong = kind in (int, float, str, bool) and type(value) is not kind
    if wrong:
        raise ModuleError(f"{reference}: parameter {name} must be {kind.__name__}, not {value!r}")
    return _tuples(value)


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


def _refuse_unknown(reference: str, parameters: Mapping[str, Any], known: Iterable[str]) -> None:
    names = list(known)
    for name in parameters:
        if name not in names:
            raise ModuleError(
                f"{reference} has no parameter {name!r}{_nearest(name, names)}; it has: {', '.join(names) or 'none'}"
            )


def _checked(reference: str, module: Any) -> Module:
    """The contract's outer form: name, outputs of `Table`s, callable, frozen."""
    if not isinstance(module, FunctionModule) and not type(module).__dataclass_params__.frozen:
        raise ModuleError(f"{reference} is not frozen: write @dataclass(frozen=True)")
    if not isinstance(getattr(module, "name", None), str) or not callable(module):
        raise ModuleError(f"{reference} does not keep the contract: it needs a text `name` and __call__(files, source)")
    outputs = getattr(module, "outputs", None)
    if not isinstance(outputs, Mapping) or not outputs:
        raise ModuleError(f"{reference} does not keep the contract: `outputs` must map table names to Table(schema, …)")
    for table, output in outputs.items():
        missing = [part for part in ("schema", "key", "sort", "partition", "owner") if not hasattr(output, part)]
        if missing:
            raise ModuleError(f"{reference}: output {table!r} lacks {missing[0]}: use engine.module.Table")
    for wrong in complaints(outputs):
        raise ModuleError(f"{reference}: {wrong}")
    result: Module = module
    return result


def _nearest(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=3, cutoff=0.6)
    return f" (did you mean {' or '.join(close)}?)" if close else ""
