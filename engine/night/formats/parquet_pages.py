"""What a Parquet file says of itself, looked at before anything is decoded.

Run-length encoding puts a billion values into a few bytes. The footer says how many there are, but a decoder believes
the pages: a forged one of 3 kB took 17 s and a gigabyte. And pyarrow's own view of a damaged footer can abort the
process.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kernels import thrift
from kernels.deltas import unpack_deltas
from kernels.thrift import I32, I64, LIST, STRUCT, WORD, below

_INT32, _ZSTD, _DELTA, _RLE = 1, 6, 5, 3
_MOST_LEAVES = 1 << 22
_GROUPS = below(below(0, 4, LIST), 0, STRUCT)
_ROWS = below(_GROUPS, 3, I64)
_CHUNKS = below(below(_GROUPS, 1, LIST), 0, STRUCT)
_CHUNK = below(_CHUNKS, 3, STRUCT)
_WORDS = below(below(_CHUNK, 3, LIST), 0, WORD)
_FACTS = tuple(below(_CHUNK, at, kind) for at, kind in ((1, I32), (4, I32), (5, I64), (6, I64), (7, I64)))
_FIRST_DATA, _DICTIONARY = below(_CHUNK, 9, I64), below(_CHUNK, 11, I64)


class Chunk(NamedTuple):
    """A column of a row group, as the footer has it. `path` names the column; `kind` and `codec` are Parquet's numbers;
    sizes are bytes of all its pages."""

    path: str
    kind: int
    codec: int
    values: int
    unpacked: int
    packed: int
    begin: int

    @property
    def column(self) -> str:
        return self.path.partition(".")[0]

    @property
    def end(self) -> int:
        return self.begin + self.packed


@dataclass(frozen=True, slots=True)
class RowGroup:
    rows: int
    chunks: tuple[Chunk, ...]


def row_groups(data: bytes) -> tuple[RowGroup, ...] | None:
    """The row groups that the footer lists; None where it is damaged or says what cannot be."""
    end = len(data) - 8
    begin = end - int.from_bytes(data[-8:-4], "little")
    if begin < 4:
        return None
    footer = data[begin:end]
    leaves = np.empty((min(len(footer) // 2, _MOST_LEAVES), 3), np.int64)
    count, behind = thrift.leaves(np.frombuffer(footer, np.uint8), 0, leaves)
    groups, rows, sizes = (_told(leaves[:count], path) for path in (_GROUPS, _ROWS, _CHUNKS))
    if behind < 0 or groups != [len(rows)] or len(sizes) != len(rows) or min(rows, default=0) < 0:
        return None
    chunks = _chunks(footer, leaves[:count])
    if len(chunks) != sum(sizes) or not all(_possible(chunk, begin) for chunk in chunks):
        return None
    if sum(chunk.packed for chunk in chunks) > begin:
        return None  # the same bytes for many columns would be read as often
    rest = iter(chunks)
    return tuple(RowGroup(n, tuple(islice(rest, size))) for n, size in zip(rows, sizes, strict=True))


def _told(leaves: NDArray[np.int64], path: int) -> list[int]:
    told: list[int] = leaves[leaves[:, 0] == path, 1].tolist()
    return told


def _chunks(footer: bytes, leaves: NDArray[np.int64]) -> list[Chunk]:
    """The columns of all row groups; none where one lacks something, since a struct tells each thing once at most."""
    lists = np.flatnonzero((leaves[:, 0] == _WORDS) & (leaves[:, 2] < 0))
    words = [leaves[at + 1 : at + 1 + leaves[at, 1], 1:].tolist() for at in lists]
    paths = [b".".join(footer[at : at + size] for at, size in own).decode("utf-8", "replace") for own in words]
    begins = np.array(_told(leaves, _FIRST_DATA), np.int64)
    facts = [_told(leaves, path) for path in _FACTS]
    if {len(paths), *map(len, facts)} != {len(begins)} or not paths:
        return []
    of_data, of_words = (np.flatnonzero(leaves[:, 0] == path) for path in (_FIRST_DATA, _DICTIONARY))
    owners = np.searchsorted(of_data, of_words) - 1
    begins[owners] = np.minimum(begins[owners], _told(leaves, _DICTIONARY))
    return [Chunk(*of_one) for of_one in zip(paths, *facts, begins.tolist(), strict=True)]


def _possible(chunk: Chunk, end: int) -> bool:
    """Whether all counts are some, and the column lies before `end`, where the footer begins."""
    counts = (chunk.kind, chunk.codec, chunk.values, chunk.unpacked, chunk.packed)
    return min(counts) >= 0 and 4 <= chunk.begin <= chunk.end <= end


def pages_agree(data: bytes, chunk: Chunk) -> bool:
    """Whether the pages of a column hold what the footer says of it: as many values, and no more bytes."""
    pages = np.frombuffer(data, np.uint8)
    return bool(thrift.pages_hold(pages, chunk.begin, chunk.end, chunk.values, chunk.unpacked))


def dictionary_bytes(data: bytes, chunk: Chunk) -> int:
    """The unpacked size of the dictionary of a column whose pages agree: its first page, if it has one."""
    page = np.empty(thrift.PAGE_FACTS, np.int64)
    thrift.read_page(np.frombuffer(data, np.uint8), chunk.begin, page)
    return int(page[thrift.UNPACKED]) if page[thrift.KIND] == thrift.DICTIONARY else 0


def deltas(data: bytes, chunk: Chunk, out: NDArray[np.int32]) -> bool:
    """Whether the values of a column of int32 lists, whose pages agree, were put into out: (chunk.values,) int32. Takes
    a fifth of the time that Arrow takes for lists. Not done where they are no packed differences, or damaged. Where a
    list ends is not looked at."""
    if chunk.kind != _INT32 or chunk.codec != _ZSTD:
        return False
    raw, page, at, filled = np.frombuffer(data, np.uint8), np.empty(thrift.PAGE_FACTS, np.int64), chunk.begin, 0
    while at < chunk.end:
        begin = thrift.read_page(raw, at, page)
        at = begin + int(page[thrift.PACKED])
        if page[thrift.KIND] != thrift.DATA or page[thrift.ENCODING :].tolist() != [_DELTA, _RLE, _RLE]:
            return False
        try:
            body = pa.decompress(memoryview(data)[begin:at], int(page[thrift.UNPACKED]), "zstd")
        except (pa.ArrowException, OSError):
            return False
        values = np.frombuffer(body, np.uint8)
        found = unpack_deltas(values, _behind_levels(values), out[filled:])
        if found != page[thrift.VALUES]:
            return False
        filled += found
    return filled == len(out)


def _behind_levels(raw: NDArray[np.uint8]) -> int:
    """Where a page's values begin: behind where lists begin and which values are null, each with its size in front."""
    at = 0
    for _ in range(2):
        at += 4 + int.from_bytes(raw[at : at + 4].tobytes(), "little")
    return at
