"""Thrift's compact protocol, in which Parquet's footer and page headers are written, and what is needed of a page's."""

from __future__ import annotations

import numpy as np
from numba import njit

I32, I64, WORD, LIST, STRUCT = 5, 6, 8, 9, 12
"""Kinds of fields, as they are written."""
DATA, DICTIONARY, DATA_V2 = 0, 2, 3
"""Kinds of pages."""
KIND, UNPACKED, PACKED, VALUES, ENCODING, LEVELS = 0, 1, 2, 3, 4, 5
"""What `read_page` tells of a page; at LEVELS and behind it: how its two levels are encoded."""
PAGE_FACTS, V2_ENCODING = 7, 6
_BYTES = "Array(uint8, 1, 'C', readonly=True)"
_TRUE, _FALSE, _BYTE, _I16, _DOUBLE, _SET = 1, 2, 3, 4, 7, 10
_DEEPEST, _LONGEST_HEADER, _MOST_LEAVES = 12, 1 << 16, 64
_LEAST_BYTES_A_WORD = 4
_PREFIXES, _I32 = 7, (1 << 32) - 1
"""Parquet's DELTA_BYTE_ARRAY; and what its readers take of a number of 32 bits."""


@njit(f"UniTuple(int64, 2)({_BYTES}, int64)", cache=True)
def varint(data, at):  # type: ignore[no-untyped-def]
    """A number of seven bits a byte, and where it ends: −1 where the data end first or it is too long."""
    value = np.uint64(0)
    for i in range(10):
        if at + i >= data.size:
            break
        value |= np.uint64(data[at + i] & 127) << np.uint64(7 * i)
        if data[at + i] < 128:
            return np.int64(value), at + i + 1
    return np.int64(0), np.int64(-1)


@njit("int64(int64)", cache=True)
def signed(zigzag):  # type: ignore[no-untyped-def]
    """0, −1, 1, −2 … from 0, 1, 2, 3 …"""
    return np.int64(np.uint64(zigzag) >> np.uint64(1)) ^ -(zigzag & 1)


@njit("int64(int64, int64, int64)", cache=True)
def below(path, number, kind):  # type: ignore[no-untyped-def]
    """The path of a field below another one's, 0 for the outermost struct's; of a list's elements the number is 0.

    −1 is no path: more than seven levels deep, or with a number that no field here has.
    """
    return path << 9 | number << 4 | kind if 0 <= path < 1 << 54 and 0 <= number < 32 else -1


@njit(f"UniTuple(int64, 3)({_BYTES}, int64, int64)", cache=True)
def _field(data, at, last):  # type: ignore[no-untyped-def]
    """(number, kind, where its value begins) of the field behind number `last`; kind 0 where the struct ends."""
    if at >= data.size:
        return np.int64(0), np.int64(0), np.int64(-1)
    kind, step, at = np.int64(data[at] & 15), np.int64(data[at] >> 4), at + 1
    if kind == 0:
        return np.int64(0), kind, np.int64(-1) if step else at
    number = last + step
    if not step:
        number, at = varint(data, at)
        number = signed(number)
    return number, kind, at if number > last else np.int64(-1)


@njit(f"UniTuple(int64, 3)({_BYTES}, int64)", cache=True)
def _list(data, at):  # type: ignore[no-untyped-def]
    """(elements, their kind, where the first begins) of a list; each takes a byte or more."""
    if at >= data.size:
        return np.int64(0), np.int64(0), np.int64(-1)
    kind, count, at = np.int64(data[at] & 15), np.int64(data[at] >> 4), at + 1
    if count == 15:
        count, at = varint(data, at)
    return count, kind, at if at >= 0 and 0 <= count <= data.size - at else np.int64(-1)


@njit(f"UniTuple(int64, 3)({_BYTES}, int64, int64, boolean)", cache=True)
def _plain(data, at, kind, listed):  # type: ignore[no-untyped-def]
    """(value, length, end) of what holds nothing else: of a word where its bytes begin, and how many they are."""
    if kind == _DOUBLE:
        return np.int64(0), np.int64(0), at + 8
    if kind in (_TRUE, _FALSE, _BYTE):
        return np.int64(0), np.int64(0), at + (listed or kind == _BYTE)
    value, at = varint(data, at)
    if kind in (_I16, I32, I64):
        return signed(value), np.int64(0), at
    sound = kind == WORD and at >= 0 and 0 <= value <= data.size - at
    return at, value, at + value if sound else np.int64(-1)


@njit(f"UniTuple(int64, 2)({_BYTES}, int64, int64[:, ::1])", cache=True)
def leaves(data, at, out):  # type: ignore[no-untyped-def]
    """All that stands in the struct at data[at], in the order in which it is written: (how many, where it ends).

    out: (m, 3) int64: path; then a number and 0, or where a word begins and its length, or how many elements a list has
    and −1. The end is −1 where there is no struct, one that does not number its fields upwards, or more than m leaves.
    """
    paths, lasts = np.zeros(_DEEPEST + 1, np.int64), np.zeros(_DEEPEST + 1, np.int64)
    kinds, lefts = np.zeros(_DEEPEST + 1, np.int64), np.full(_DEEPEST + 1, np.int64(-1))  # −1: in a struct
    depth, found = 0, 0
    while depth >= 0 and at >= 0:
        listed, kind, here = lefts[depth] >= 0, kinds[depth], paths[depth]
        if listed:
            lefts[depth] -= 1
            ended = lefts[depth] < 0
        else:
            lasts[depth], kind, at = _field(data, at, lasts[depth])
            ended, here = kind == 0, below(here, lasts[depth], kind)
        if ended or at < 0:
            depth -= 1
            continue
        if kind in (LIST, _SET, STRUCT):
            depth += 1
            if depth > _DEEPEST:
                return found, np.int64(-1)
            lasts[depth], lefts[depth] = 0, -1
            if kind != STRUCT:
                lefts[depth], kinds[depth], at = _list(data, at)
                here = below(here, 0, kinds[depth])
            paths[depth] = here
            if kind == STRUCT:
                continue
            value, length = lefts[depth], np.int64(-1)
        else:
            value, length, at = _plain(data, at, kind, listed)
        if found == out.shape[0]:
            return found, np.int64(-1)
        out[found, 0], out[found, 1], out[found, 2] = here, value, length
        found += 1
    return found, at


@njit(f"int64({_BYTES}, int64, int64[::1])", cache=True)
def read_page(data, at, page):  # type: ignore[no-untyped-def]
    """Where the body of the page begins whose header is at data[at]; −1 where there is none. page: (7,) int64, is
    filled with what the header says; −1 where it says nothing."""
    found = np.empty((_MOST_LEAVES, 3), np.int64)
    count, end = leaves(data[at : at + _LONGEST_HEADER], 0, found)
    page[:] = -1
    for i in range(count):
        for number in (1, 2, 3):
            if found[i, 0] == below(0, number, I32):
                page[number - 1] = found[i, 1]
    header = below(0, 5 if page[KIND] == DATA else 7 if page[KIND] == DICTIONARY else 8, STRUCT)
    known = page[KIND] in (DATA, DICTIONARY, DATA_V2)
    for i in range(count):
        for number in range(1, 5):
            if known and found[i, 0] == below(header, number, I32):
                page[VALUES + number - 1] = found[i, 1]
    return at + end if end >= 0 else end


@njit(f"boolean({_BYTES}, int64, int64, int64, int64)", cache=True)
def pages_hold(data, at, end, values, unpacked):  # type: ignore[no-untyped-def]
    """Whether the pages from data[at] on end at `end`, and hold exactly so many values and at most so many bytes.

    A dictionary must be the first page. No words may repeat the beginning of the last one: such grow without bound.
    """
    page, first = np.empty(PAGE_FACTS, np.int64), at
    while at < end:
        begin = read_page(data[:end], at, page)
        if begin < 0 or not 0 <= page[PACKED] <= end - begin or not 0 <= page[UNPACKED] <= unpacked:
            return False
        unpacked -= page[UNPACKED] + begin - at
        if unpacked < 0 or page[VALUES] < 0:
            return False
        if page[KIND] == DICTIONARY:
            if at > first or page[VALUES] > page[UNPACKED] // _LEAST_BYTES_A_WORD:
                return False
        elif page[VALUES] > values or page[ENCODING if page[KIND] == DATA else V2_ENCODING] & _I32 == _PREFIXES:
            return False
        else:
            values -= page[VALUES]
        at = begin + page[PACKED]
    return at == end and values == 0
