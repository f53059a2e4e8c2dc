"""Parquet's DELTA_BINARY_PACKED for int32: differences of neighbours in as few bits as they need."""

from __future__ import annotations

import numpy as np
from numba import njit

_BYTES = "Array(uint8, 1, 'C', readonly=True)"
_MOST_IN_PART = 1 << 12
_WIDEST = 32


@njit(f"UniTuple(int64, 2)({_BYTES}, int64)", cache=True)
def _varint(data, at):  # type: ignore[no-untyped-def]
    """A number of seven bits a byte, and where it ends: −1 where the data end first or it is too long."""
    value = np.uint64(0)
    for i in range(10):
        if at + i >= data.size:
            break
        value |= np.uint64(data[at + i] & 127) << np.uint64(7 * i)
        if data[at + i] < 128:
            return np.int64(value), at + i + 1
    return np.int64(0), np.int64(-1)


@njit("int32(int64)", cache=True)
def _signed(zigzag):  # type: ignore[no-untyped-def]
    return np.int32(np.int64(np.uint64(zigzag) >> np.uint64(1)) ^ -(zigzag & 1))


@njit(f"void({_BYTES}, int64, int64, uint32[::1], int32, int32[::1])", cache=True)
def _add_up(data, at, width, words, least, out):  # type: ignore[no-untyped-def]
    """out[1:] from out[0] and the differences, packed in `width` bits each from data[at] on. words: scratch."""
    raw = words.view(np.uint8)
    for i in range(((out.size - 1) * width + 7) // 8):
        raw[i] = data[at + i]
    mask = (np.uint64(1) << np.uint64(width)) - np.uint64(1)
    value, bit = out[0], np.uint64(0)
    for i in range(1, out.size):
        word = bit >> np.uint64(5)
        both = np.uint64(words[word]) | np.uint64(words[word + np.uint64(1)]) << np.uint64(32)
        value = np.int32(value + np.int32(least + np.int32(both >> (bit & np.uint64(31)) & mask)))
        out[i] = value
        bit += np.uint64(width)


@njit(f"int64({_BYTES}, int64, int32[::1])", cache=True)
def unpack_deltas(data, at, out):  # type: ignore[no-untyped-def]
    """How many values from data[at] on were put into out, (n,) int32; −1 where data are damaged or hold more than n.

    >>> out = np.zeros(3, np.int32)
    >>> unpack_deltas(np.array([128, 1, 4, 3, 14, 4, 0, 0, 0, 0], np.uint8), 0, out), out.tolist()
    (3, [7, 9, 11])
    """
    block, at = _varint(data, at)
    parts, at = _varint(data, at) if at >= 0 else (np.int64(0), at)
    count, at = _varint(data, at) if at >= 0 else (np.int64(0), at)
    first, at = _varint(data, at) if at >= 0 else (np.int64(0), at)
    if at < 0 or not 0 < parts <= min(block, data.size) or block // parts > _MOST_IN_PART:
        return -1
    if not 0 <= count <= out.size:
        return -1
    each, done = block // parts, np.int64(1)
    words = np.zeros(_MOST_IN_PART + 1, np.uint32)
    if count:
        out[0] = _signed(first)
    while done < count:
        least, at = _varint(data, at)
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
            _add_up(data, at, width, words, _signed(least), out[done - 1 : end])
            done, at = end, at + size
    return count
