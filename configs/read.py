"""Reads settings: a YAML file, with flags over it. A mistake is one line that names file, key and reason."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from configs.settings import Settings
from engine.errors import ConfigError

Kind = TypeVar("Kind", bound=BaseModel)


def shipped(name: str) -> str:
    """Text of a settings file that comes with nightmill."""
    return files("configs").joinpath(name).read_text()


def load(path: str | Path | None, flags: Mapping[str, Any]) -> Settings:
    """Settings of a YAML file (or the defaults), with `flags` (nested mappings) laid over them.

    Raises `ConfigError` for a missing file, broken YAML, an unknown key or a value out of range.
    """
    return load_as(Settings, path, flags)


def load_as(kind: type[Kind], path: str | Path | None, flags: Mapping[str, Any]) -> Kind:
    """`load` for settings of any kind."""
    written = {} if path is None else read_yaml(Path(path))
    return checked(kind, overlay(written, flags), str(path) if path is not None else "flags")


def overlay(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`above` wins; mappings are merged key by key, lists replaced.

    >>> overlay({"a": {"x": 1, "y": 2}, "b": [1]}, {"a": {"x": 3}, "b": [2]})
    {'a': {'x': 3, 'y': 2}, 'b': [2]}
    """
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        merged[key] = overlay(under, value) if isinstance(under, Mapping) and isinstance(value, Mapping) else value
    return merged


def read_yaml(path: Path) -> Mapping[str, Any]:
    try:
        written = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not a text file"
        raise ConfigError(f"{path}: {reason}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}" if mark is not None else ""
        raise ConfigError(f"{path}:{where} {getattr(error, 'problem', None) or 'is not YAML'}") from error
    if written is None:
        return {}
    if not isinstance(written, Mapping):
        raise ConfigError(f"{path}: settings are `key: value` lines; this file holds a {type(written).__name__}")
    return written


def checked(kind: type[Kind], written: Mapping[str, Any], origin: str) -> Kind:
    """Settings of values as written. Raises `ConfigError` naming `origin` and key."""
    try:
        return kind.model_validate(written)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = tuple(first["loc"])
        key = ".".join(str(step) for step in where)
        if first["type"] == "extra_forbidden":
            raise ConfigError(f"{origin}: unknown key {key!r}{_nearest(kind, where)}") from error
        raise ConfigError(f"{origin}: {key}: {first['msg'].removeprefix('Value error, ')}") from error


def _nearest(kind: type[BaseModel], where: tuple[int | str, ...]) -> str:
    known = list(_model_at(kind, where[:-1]).model_fields)
    close = get_close_matches(str(where[-1]), known, n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(known)}"


def _model_at(model: type[BaseModel], steps: tuple[int | str, ...]) -> type[BaseModel]:
    """The settings class that a key path leads to."""
    for step in steps:
        if isinstance(step, int) or step not in model.model_fields:  # a place in a list, or the name of a kind of value
            continue
        kind = model.model_fields[step].annotation
        inner = [kind, *getattr(kind, "__args__", ())]
        model = next(k for k in inner if isinstance(k, type) and issubclass(k, BaseModel))
    return model
