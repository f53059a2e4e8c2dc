"""Records of log.bin, one byte and one nibble at a time."""

from __future__ import annotations

from functools import reduce


def records(data: bytes) -> list[tuple[int, int, int, int]]:
    """(type, seconds, first byte of the payload, its size) of the records whose check sum holds."""
    found, at = [], 0
    while at + 8 < len(data):
        size = int.from_bytes(data[at + 6 : at + 8], "little")
        record = data[at : at + 8 + size]
        sound = data[at] == 0x1E and len(record) == 8 + size and at + 8 + size < len(data)
        if sound and data[at + 8 + size] == 255 - reduce(lambda a, b: a ^ b, record):
            found.append((data[at + 1], int.from_bytes(data[at + 2 : at + 6], "little"), at + 8, size))
            at += 9 + size
        else:
            at += 1
    return found


def unpack_12_bit(payload: bytes, count: int) -> list[tuple[int, int, int]]:
    """x, y, z of each sample; written y, x, z."""
    digits = payload.hex()
    numbers = [int(digits[at : at + 3], 16) for at in range(0, 9 * count, 3)]
    signed = [number - 4096 if number > 2047 else number for number in numbers]
    return [(signed[at + 1], signed[at], signed[at + 2]) for at in range(0, 3 * count, 3)]


def unpack_16_bit(payload: bytes, count: int) -> list[tuple[int, ...]]:
    numbers = [int.from_bytes(payload[at : at + 2], "little", signed=True) for at in range(0, 6 * count, 2)]
    return [tuple(numbers[at : at + 3]) for at in range(0, 3 * count, 3)]
