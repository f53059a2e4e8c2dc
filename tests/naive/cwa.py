"""Axivity's blocks, one at a time with struct."""

from __future__ import annotations

import struct


def is_sound(block: bytes) -> bool:
    return sum(struct.unpack("<256H", block)) % 65536 == 0


def packed(word: int) -> tuple[int, int, int]:
    """x, y, z in 1/256 g of one packed sample."""
    exponent = word >> 30
    tens = [(word >> shift) & 0x3FF for shift in (0, 10, 20)]
    x, y, z = ((ten - 1024 if ten >= 512 else ten) * 2**exponent for ten in tens)
    return x, y, z


def unpacked(block: bytes, axes: int, count: int) -> list[list[int]]:
    """Samples of a block by axis: packed where `axes` is 0."""
    if axes == 0:
        samples: list[tuple[int, ...]] = [packed(word) for (word,) in struct.iter_unpack("<I", block[30:510])]
    else:
        values = struct.unpack("<240h", block[30:510])
        samples = [values[i : i + axes] for i in range(0, 240, axes)]
    return [list(axis) for axis in zip(*samples[:count], strict=True)]
