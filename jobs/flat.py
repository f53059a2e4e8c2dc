"""Values that are nested, or bytes, for what takes plain ones only: a terminal, CSV, JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, time
from typing import Any

import polars as pl


def told(value: Any) -> str:
    """Lists of text with blanks between, all else that is nested as JSON; bytes in hex.

    >>> told(["GAP", "SHORT"]), told([1.0, None]), told({2: b"ab"}), told(b"ab"), told([])
    ('GAP SHORT', '[1.0, null]', '{"2": "6162"}', '6162', '')
    """
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return " ".join(value)
    return json.dumps(_keyed(value), ensure_ascii=False, default=_scalar)


def flat(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame as CSV can hold it."""
    names = [name for name, kind in frame.schema.items() if kind.is_nested() or kind == pl.Binary]
    return frame.with_columns(
        pl.Series(name, [None if one is None else told(one) for one in frame[name].to_list()], pl.String)
        for name in names
    )


def as_json(frame: pl.DataFrame) -> str:
    """An array of objects. polars knows no JSON for bytes, and for dictionaries whose keys are text only."""
    if any(map(_unwritable, frame.dtypes)):
        return json.dumps(_keyed(frame.to_dicts()), ensure_ascii=False, default=_scalar)
    return frame.write_json()


def _unwritable(kind: Any) -> bool:
    inner = [kind.inner] if isinstance(kind, pl.List | pl.Array) else []
    inner += [field.dtype for field in kind.fields] if isinstance(kind, pl.Struct) else []
    return kind == pl.Binary or isinstance(kind, pl.Map) or any(map(_unwritable, inner))


def _keyed(value: Any) -> Any:
    """With text for keys, which is what JSON has."""
    if isinstance(value, Mapping):
        return {str(key): _keyed(one) for key, one in value.items()}
    return [_keyed(one) for one in value] if isinstance(value, list) else value


def _scalar(value: Any) -> str:
    if isinstance(value, date | time):
        return value.isoformat()
    return value.hex() if isinstance(value, bytes) else str(value)
