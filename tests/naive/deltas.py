"""DELTA_BINARY_PACKED, a bit at a time with Python's whole numbers."""

from __future__ import annotations

from itertools import pairwise


def packed(values: list[int], block: int = 128, parts: int = 4) -> bytes:
    """As Parquet's description has it; differences wrap at 32 bits."""
    first = values[0] if values else 0
    out = _varint(block) + _varint(parts) + _varint(len(values)) + _varint(_zigzag(first))
    deltas = [_wrapped(b - a) for a, b in pairwise(values)]
    for begin in range(0, len(deltas), block):
        own = deltas[begin : begin + block]
        least, each = min(own), block // parts
        rest = [[(one - least) % 2**32 for one in own[at : at + each]] for at in range(0, block, each)]
        widths = [max((one.bit_length() for one in part), default=0) for part in rest]
        out += _varint(_zigzag(least)) + bytes(widths)
        for part, width in zip(rest, widths, strict=True):
            bits = sum(one << (width * i) for i, one in enumerate(part))
            out += bits.to_bytes(each * width // 8, "little") if part else b""
    return out


def _wrapped(value: int) -> int:
    return (value + 2**31) % 2**32 - 2**31


def _zigzag(value: int) -> int:
    return 2 * value if value >= 0 else -2 * value - 1


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])
