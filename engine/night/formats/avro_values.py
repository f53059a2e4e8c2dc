"""Values as Avro writes them, by the writer's schema. Whatever the bytes say is held to an allowance."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.night.formats.zips import RAISE, Refused
from kernels.avro import varints

_LONGEST_SCHEMA, _DEEPEST = 1 << 20, 32
_MOST_STEPS = 300_000
_NUMBERS = {"int": "<i4", "long": "<i8", "float": "<f4", "double": "<f8"}


class Damaged(ValueError):
    """The bytes are no Avro, or do not hold what their schema says. Never leaves the readers."""


class Ended(ValueError):
    """The bytes end inside a value. `partial`: what there was of it."""

    def __init__(self, partial: Any = None) -> None:
        super().__init__()
        self.partial = partial


@dataclass(slots=True)
class Allowance:
    """What may still be unpacked: bytes of streams and of arrays, values outside arrays of numbers."""

    stream: int
    array: int
    steps: int = _MOST_STEPS

    def step(self) -> None:
        self.steps -= 1
        if self.steps < 0:
            raise Refused(f"holds over {_MOST_STEPS} values outside arrays of numbers: send it again")

    def hold(self, size: int) -> None:
        self.array -= size
        if self.array < 0:
            raise Refused(f"its arrays unpack to more than is allowed: {RAISE}")


class Cursor:
    """A place in some bytes."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data, self.at = data, at

    def take(self, size: int) -> bytes:
        if size < 0:
            raise Damaged("a negative size")
        if self.at + size > len(self.data):
            raise Ended
        self.at += size
        return self.data[self.at - size : self.at]

    def long(self) -> int:
        value = shift = 0
        while True:
            (byte,) = self.take(1)
            value |= (byte & 127) << shift
            if byte < 128:
                return (value >> 1) ^ -(value & 1)
            shift += 7
            if shift > 63:
                raise Damaged("a number without end")

    def text(self) -> str:
        return self.take(self.long()).decode("utf-8", "replace")

    def counts(self) -> Iterator[int]:
        """The lengths of an array's or a map's blocks."""
        while count := self.long():
            if count < 0:
                self.long()
            yield abs(count)


_PLAIN: Mapping[str, Callable[[Cursor], Any]] = {
    "null": lambda _: None,
    "boolean": lambda cursor: cursor.take(1) != b"\0",
    "int": Cursor.long,
    "long": Cursor.long,
    "float": lambda cursor: float(np.frombuffer(cursor.take(4), "<f4")[0]),
    "double": lambda cursor: float(np.frombuffer(cursor.take(8), "<f8")[0]),
    "bytes": lambda cursor: cursor.take(cursor.long()),
    "string": Cursor.text,
}


@dataclass(frozen=True, slots=True)
class Schema:
    root: Any
    names: Mapping[str, Any]

    def kind(self, node: Any) -> tuple[str, Any]:
        """What a node of the schema is, and the node that says more of it."""
        for _ in range(_DEEPEST):
            if isinstance(node, list):
                return "union", node
            if isinstance(node, str):
                if node in _PLAIN:
                    return node, node
                node = self.names.get(node.rpartition(".")[2])
            elif isinstance(node, dict) and isinstance(node.get("type"), str):
                if node["type"] in _PLAIN or node["type"] in ("record", "array", "map", "enum", "fixed"):
                    return node["type"], node
                node = node["type"]
            elif isinstance(node, dict):
                node = node.get("type")
            else:
                break
        raise Damaged("a type that the schema does not define")


@lru_cache(maxsize=8)
def schema_of(text: bytes) -> Schema:
    """The schema of a record, as a header has it; a night's files share one. Raises Damaged where it makes no sense."""
    try:
        root = json.loads(text) if len(text) <= _LONGEST_SCHEMA else None
    except (ValueError, RecursionError):
        root = None
    if not isinstance(root, dict) or root.get("type") != "record":
        raise Damaged("the header has no schema of a record")
    names: dict[str, Any] = {}
    _name(root, names, 0)
    return Schema(root, names)


def _name(node: Any, names: dict[str, Any], depth: int) -> None:
    """Collect the named types below a node, by the last part of their names."""
    if depth > _DEEPEST:
        raise Damaged("a schema too deep")
    for one in node if isinstance(node, list) else [node]:
        if isinstance(one, list):
            _name(one, names, depth + 1)
        elif isinstance(one, dict):
            if isinstance(one.get("name"), str) and one.get("type") in ("record", "enum", "fixed"):
                names[one["name"].rpartition(".")[2]] = one
            for key in ("type", "items", "values", "fields"):
                _name(one.get(key), names, depth + 1)


@dataclass(frozen=True, slots=True)
class Values:
    """Decodes values at the cursor as the schema says."""

    cursor: Cursor
    schema: Schema
    allowance: Allowance

    def value(self, node: Any, depth: int) -> Any:
        self.allowance.step()
        if depth > _DEEPEST:
            raise Damaged("values too deep")
        kind, node = self.schema.kind(node)
        try:
            if kind in _PLAIN:
                return _PLAIN[kind](self.cursor)
            if kind == "fixed":
                return self.cursor.take(node["size"])
            if kind == "enum":
                return node["symbols"][self.cursor.long()]
            return getattr(self, f"_{kind}")(node, depth)
        except (LookupError, TypeError, AttributeError):
            raise Damaged(f"a {kind} that does not fit the schema") from None

    def _union(self, node: Any, depth: int) -> Any:
        return self.value(node[self.cursor.long()], depth + 1)

    def _record(self, node: Any, depth: int) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for field in node["fields"]:
            try:
                made[field["name"]] = self.value(field["type"], depth + 1)
            except Ended as ended:
                made[field["name"]] = ended.partial
                raise Ended(made) from None
        return made

    def _map(self, node: Any, depth: int) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for count in self.cursor.counts():
            for _ in range(count):
                key = self.cursor.text()
                made[key] = self.value(node["values"], depth + 1)
        return made

    def _array(self, node: Any, depth: int) -> Any:
        kind, _ = self.schema.kind(node["items"])
        if kind in _NUMBERS:
            return self._numbers(kind)
        made: list[Any] = []
        for count in self.cursor.counts():
            for _ in range(count):
                made.append(self.value(node["items"], depth + 1))
        return made

    def _numbers(self, kind: str) -> NDArray[Any]:
        """An array of numbers; what there is of it goes with Ended."""
        parts: list[NDArray[Any]] = []
        try:
            for count in self.cursor.counts():
                self.allowance.step()
                parts.append(self._part(kind, count))
                if len(parts[-1]) < count:
                    raise Ended
        except Ended:
            raise Ended(_joined(parts, kind)) from None
        return _joined(parts, kind)

    def _part(self, kind: str, count: int) -> NDArray[Any]:
        """`count` numbers, or as many as there are."""
        cursor, width = self.cursor, np.dtype(_NUMBERS[kind]).itemsize
        packed = kind in ("int", "long")
        count = min(count, (len(cursor.data) - cursor.at) // (1 if packed else width))
        self.allowance.hold(count * width)
        if not packed:
            return np.frombuffer(cursor.take(count * width), _NUMBERS[kind])
        out = np.empty(count, _NUMBERS[kind])
        done, cursor.at = varints(np.frombuffer(cursor.data, np.uint8), cursor.at, out)
        if cursor.at < 0:
            raise Damaged("a number that does not fit its type")
        return out[:done]


def _joined(parts: list[NDArray[Any]], kind: str) -> NDArray[Any]:
    return parts[0] if len(parts) == 1 else np.concatenate([np.empty(0, _NUMBERS[kind]), *parts])
