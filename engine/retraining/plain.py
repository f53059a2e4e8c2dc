"""Reading stored text that anybody may have written: JSON of known names, kinds and sizes. None of it is executed."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.errors import UserError
from engine.identity import canonical_json
from engine.retraining.rows import Floats

MOST_BYTES = 1 << 20
MOST_FEATURES = 1000
MOST_NIGHTS = 366


def refused(what: str) -> UserError:
    return UserError(f"the stored model is refused: {what}")


def read(text: str) -> Any:
    """The value of a JSON text. Raises `UserError` where it is too long, too deep, or no JSON of finite numbers."""
    if len(text) > MOST_BYTES:
        raise refused(f"its text is longer than {MOST_BYTES} characters")
    try:
        value = json.loads(text)
        canonical_json(value).encode()  # no NaN, no infinity, no half of a character
        return value
    except (ValueError, RecursionError) as error:
        raise refused(f"it is no JSON ({str(error)[:80]})") from error


def fields(value: Any, names: Sequence[str], where: str) -> list[Any]:
    """The values of an object with exactly these names."""
    if not isinstance(value, dict) or set(value) != set(names):
        raise refused(f"{where} must have {', '.join(names)} and nothing else")
    return [value[name] for name in names]


def feature_names(value: Any) -> tuple[str, ...]:
    """Distinct texts, at least one."""
    good = isinstance(value, list) and 0 < len(value) <= MOST_FEATURES and all(isinstance(one, str) for one in value)
    if not good or len(set(value)) != len(value):
        raise refused("features must be a list of distinct texts")
    return tuple(value)


def array(value: Any, shape: tuple[int, ...], where: str) -> Floats:
    """float64 of the shape, finite."""
    if not _is_of(value, shape):
        raise refused(f"{where} must be {' × '.join(map(str, shape)) or 'one'} finite number(s)")
    return np.array(value, np.float64)


def _is_of(value: Any, shape: tuple[int, ...]) -> bool:
    if not shape:
        return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
    return isinstance(value, list) and len(value) == shape[0] and all(_is_of(one, shape[1:]) for one in value)


def whole(name: str, value: Any, least: int, most: int = MOST_NIGHTS) -> None:
    """Raises `UserError` unless it is a whole number in the range."""
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise UserError(f"{name} must be a whole number from {least} to {most}, not {str(value)[:40]!r}")
