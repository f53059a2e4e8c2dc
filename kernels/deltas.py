"""Parquet's DELTA_BINARY_PACKED for int32: differences of neighbours in as few bits as they need."""

from __future__ import annotations

import numpy as np
from numba import njit

from kernels.thrift import signed, varint
from kernels.vectors import add_eight

_BYTES = "Array(uint8, 1, 'C', readonly=True)"
_MOST_IN_PART = 1 << 12
_WIDEST, _NARROW = 32, 16
_WORD = _EIGHT = 8


@njit(f"int32({_BYTES}, int64, int64, int32, int32, int32[::1])", cache=True, inline="always")
def _add_eights(data, at, width, least, value, out):  # type: ignore[no-untyped-def]
    """Fills out, eight by eight, from the value before it and the differences, behind which eight bytes must be; the
    last one. Takes half the time of four or eight to a word one by one."""
    for i in range(0, out.size, _EIGHT):
        value = add_eight(data, at, width, least, value, out, i)
        at += width
    return value


@njit(f"int32({_BYTES}, int64, int64, int32, int32, int32[::1])", cache=True, inline="always")
def _add_each(data, at, width, least, value, out):  # type: ignore[no-untyped-def]
    """As `_add_eights`, of any number and width. Indices are unsigned: they need no look at whether they count from the
    end."""
    mask = np.uint32((np.uint64(1) << np.uint64(width)) - np.uint64(1))
    bit = np.uint64(at) << np.uint64(3)
    for i in range(out.size):
        word, byte = np.uint64(0), bit >> np.uint64(3)
        for k in range(_WORD):  # becomes one load
            word |= np.uint64(data[byte + np.uint64(k)]) << np.uint64(8 * k)
        value = np.int32(value + np.int32(least + np.int32(np.uint32(word >> (bit & np.uint64(7))) & mask)))
        out[np.uint64(i)] = value
        bit += np.uint64(width)
    return value


@njit(f"int32({_BYTES}, int64, int32, int32, int32[::1])", cache=True)
def _add_last(data, width, least, value, out):  # type: ignore[no-untyped-def]
    """As `_add_each`, of all the data, behind which nothing need be."""
    padded = np.zeros(data.size + _WORD, np.uint8)
    padded[: data.size] = data
    return _add_each(padded, 0, width, least, value, out)


@njit(f"int64({_BYTES}, int64, int32[::1])", cache=True)
def unpack_deltas(data, at, out):  # type: ignore[no-untyped-def]
    """How many values from data[at] on were put into out, (n,) int32; −1 where data are damaged or hold more than n.

    >>> out = np.zeros(3, np.int32)
    >>> unpack_deltas(np.array([128, 1, 4, 3, 14, 4, 0, 0, 0, 0], np.uint8), 0, out), out.tolist()
    (3, [7, 9, 11])
    """
    block, at = varint(data, at)
    parts, at = varint(data, at) if at >= 0 else (np.int64(0), at)
    count, at = varint(data, at) if at >= 0 else (np.int64(0), at)
    first, at = varint(data, at) if at >= 0 else (np.int64(0), at)
    if at < 0 or not 0 < parts <= min(block, data.size) or block // parts > _MOST_IN_PART:
        return -1
    if not 0 <= count <= out.size:
        return -1
    each, done = block // parts, np.int64(1)
    value = np.int32(signed(first))
    if count:
        out[0] = value
    while done < count:
        least, at = varint(data, at)
        widths, at = at, at + parts
        if widths < 0 or at > data.size:
            return -1
        for part in range(parts):
            if done >= count:
                break
            width, size = np.int64(data[widths + part]), (each * np.int64(data[widths + part]) + 7) // 8
            if width > _WIDEST or at + size > data.size:
                return -1
            end = min(done + each, count)
            own = out[done:end]
            if at + size + _WORD > data.size:
                value = _add_last(data[at : at + size], width, signed(least), value, own)
            elif width <= _NARROW and own.size % _EIGHT == 0:
                value = _add_eights(data, at, width, signed(least), value, own)
            else:
                value = _add_each(data, at, width, signed(least), value, own)
            done, at = end, at + size
    return count
