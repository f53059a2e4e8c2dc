"""Thrift's compact protocol, by recursion into Python's own objects."""

from __future__ import annotations

from typing import Any

I16, I32, I64, WORD, LIST, STRUCT = 4, 5, 6, 8, 9, 12
Leaf = tuple[int, int | bytes]
Field = tuple[int, int, Any]
"""(number, kind, value): of a struct the value is a list of fields, of a list (kind of its elements, elements)."""


def packed(fields: list[Field]) -> bytes:
    out, last = b"", 0
    for number, kind, value in fields:
        step = number - last
        out += bytes([step << 4 | kind]) if 0 < step < 16 else bytes([kind]) + varint(zigzag(number))
        out += b"" if kind <= 2 else one(kind, value)
        last = number
    return out + b"\0"


def one(kind: int, value: Any) -> bytes:
    if kind == STRUCT:
        return packed(value)
    if kind in (LIST, 10):
        own, elements = value
        head = bytes([len(elements) << 4 | own]) if len(elements) < 15 else bytes([0xF0 | own]) + varint(len(elements))
        return head + b"".join(one(own, element) for element in elements)
    if kind == WORD:
        return varint(len(value)) + bytes(value)
    if kind == 7:
        return bytes(8)
    return bytes([1]) if kind <= 3 else varint(zigzag(value))


def leaves(fields: list[Field], path: int = 0) -> list[Leaf]:
    """(path, value) of all in a struct, in order; of a list its length, of a word its bytes, 0 of what is not kept."""
    return [leaf for number, kind, value in fields for leaf in _leaves(below(path, number, kind), kind, value)]


def _leaves(path: int, kind: int, value: Any) -> list[Leaf]:
    if kind == STRUCT:
        return leaves(value, path)
    if kind in (LIST, 10):
        own, elements = value
        inner = below(path, 0, own)
        return [(inner, len(elements)), *(leaf for element in elements for leaf in _leaves(inner, own, element))]
    return [(path, value if kind in (I16, I32, I64, WORD) else 0)]


def below(path: int, number: int, kind: int) -> int:
    return path * 512 + number * 16 + kind if 0 <= path < 2**54 and 0 <= number < 32 else -1


def zigzag(value: int) -> int:
    return 2 * value if value >= 0 else -2 * value - 1


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])
