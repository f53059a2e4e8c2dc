"""Parquet's DELTA_BINARY_PACKED for int32: differences of neighbours in as few bits as they need."""

from __future__ import annotations

import numpy as np
from numba import njit

from kernels.thrift import signed, varint

_BYTES = "Array(uint8, 1, 'C', readonly=True)"
_MOST_IN_PART = 1 << 12
_WIDEST, _WORD = 32, 8


@njit(f"void({_BYTES}, int64, int64, int32, int32[::1], int64)", cache=True, inline="always")
def _add_words(data, at, width, least, out, lanes):  # type: ignore[no-untyped-def]
    """out[1:] from out[0] and the differences, `lanes` to each word of eight bytes, which must be there. Inlined, its
    loops are unrolled for each number of lanes: a quarter less time."""
    mask = np.uint32((np.uint64(1) << np.uint64(width)) - np.uint64(1))
    value, bit = out[0], np.uint64(at) << np.uint64(3)
    for i in range(1, out.size, lanes):
        word, byte = np.uint64(0), bit >> np.uint64(3)
        for k in range(_WORD):  # becomes one load
            word |= np.uint64(data[byte + np.uint64(k)]) << np.uint64(8 * k)
        word >>= bit & np.uint64(7)
        for k in range(lanes):
            value = np.int32(value + np.int32(least + np.int32(np.uint32(word) & mask)))
            out[i + k] = value
            word >>= np.uint64(width)
        bit += np.uint64(width * lanes)


@njit(f"void({_BYTES}, int64, int64, int32, int32[::1])", cache=True)
def _add_up(data, at, width, least, out):  # type: ignore[no-untyped-def]
    """out[1:] from out[0] and the differences, packed in `width` bits each from data[at] on."""
    whole = out.size % 8 == 1  # values come eight to a whole number of bytes
    if whole and width <= 8:
        _add_words(data, at, width, least, out, 8)
    elif whole and width <= 15:
        _add_words(data, at, width, least, out, 4)
    else:
        _add_words(data, at, width, least, out, 1)


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
    padded = np.zeros(_MOST_IN_PART * _WIDEST // 8 + _WORD, np.uint8)
    if count:
        out[0] = signed(first)
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
            if at + size + _WORD <= data.size:
                _add_up(data, at, width, signed(least), out[done - 1 : end])
            else:
                padded[:size] = data[at : at + size]
                _add_up(padded, 0, width, signed(least), out[done - 1 : end])
            done, at = end, at + size
    return count
