"""Records of ActiGraph's `log.bin`: where they lie, and their samples (DOMAIN A5)."""

from __future__ import annotations

import numpy as np
from numba import int32, njit, types

HEAD = 8
"""Bytes before a record's payload: separator, type, seconds, size."""
_SEPARATOR = 0x1E
_BYTES = types.Array(types.uint8, 1, "C", readonly=True)
_INTS = types.Array(types.int64, 1, "C")
_SAMPLES = types.Array(types.int32, 2, "C")


@njit(types.Array(types.int64, 2, "C")(_BYTES), cache=True)
def records(data):  # type: ignore[no-untyped-def]
    """(n, 4) int64: type, seconds, first byte and size of the payload of every record whose check sum holds.

    The sum is the complement of all the record's bytes, exclusive-or. Where none holds the search goes on at the next
    byte; running sums keep that linear, whatever sizes the bytes claim. data: (m,) uint8, read-only.
    """
    n = data.size
    running = np.zeros(n + 1, np.uint8)
    for i in range(n):
        running[i + 1] = running[i] ^ data[i]
    out = np.empty((n // (HEAD + 1) + 1, 4), np.int64)
    found, at = 0, np.int64(0)
    while at + HEAD < n:
        end = at + HEAD + (np.int64(data[at + 6]) | np.int64(data[at + 7]) << 8)
        if data[at] != _SEPARATOR or end >= n or (running[end + 1] ^ running[at]) != 255:
            at += 1
            continue
        seconds = np.int64(0)
        for k in range(4):
            seconds |= np.int64(data[at + 2 + k]) << (8 * k)
        out[found, 0], out[found, 1], out[found, 2], out[found, 3] = data[at + 1], seconds, at + HEAD, end - at - HEAD
        found += 1
        at = end + 1
    return out[:found].copy()


@njit(_SAMPLES(_BYTES, _INTS, _INTS), cache=True)
def unpack_12_bit(data, begins, starts):  # type: ignore[no-untyped-def]
    """Samples of three axes in 36 bits, 12 bits each of y, x, z in two's complement, the highest first.

    data: (n,) uint8, read-only; begins: (m,) where each record's samples begin; starts: (m + 1,) ascending: where they
    go. Returns x, y, z: (3, starts[m]) int32.
    """
    out = np.empty((3, starts[-1]), np.int32)
    for k in range(begins.size):
        nibble = 2 * begins[k]
        for i in range(starts[k], starts[k + 1]):
            for axis in (1, 0, 2):
                byte = nibble >> 1
                if nibble & 1:
                    value = int32(data[byte] & 15) << 8 | int32(data[byte + 1])
                else:
                    value = int32(data[byte]) << 4 | int32(data[byte + 1]) >> 4
                out[axis, i] = (value ^ 0x800) - 0x800
                nibble += 3
    return out


@njit(_SAMPLES(_BYTES, _INTS, _INTS), cache=True)
def unpack_16_bit(data, begins, starts):  # type: ignore[no-untyped-def]
    """Samples of x, y, z as int16, the low byte first; otherwise as `unpack_12_bit`."""
    out = np.empty((3, starts[-1]), np.int32)
    for k in range(begins.size):
        at = begins[k]
        for i in range(starts[k], starts[k + 1]):
            for axis in range(3):
                out[axis, i] = np.int16(int32(data[at]) | int32(data[at + 1]) << 8)
                at += 2
    return out
