"""The rows of an NRF file as columns, those that hold what they say. A night has thousands of them: one at a time they
took longer than their values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from isal import isal_zlib
from numpy.typing import NDArray

from engine.night.clock import LATEST_US
from engine.night.formats.nrf_write import COLUMNS, LITTLE
from engine.night.formats.parquet_pages import Chunk, RowGroup, deltas
from engine.night.recording import MISSING
from kernels.checksums import joined_crc32

_LONGEST_BLOCK_S = 61.0
_STEEPEST = 1e12
_NUMBERS = ("seq", "t0_us", "n", "fs_hz", "scale", "offset", "crc32")
_OPTIONAL = ("fs_hz", "crc32")
_WORDS = ("channel", "unit")
_KINDS = dict.fromkeys(("seq", "t0_us", "n", "crc32"), pa.int64()) | dict.fromkeys(_WORDS, pa.string())
_KINDS |= dict.fromkeys(("fs_hz", "scale", "offset"), pa.float64())
_KINDS |= dict.fromkeys(("values", "dt_us"), pa.list_(pa.int32()))
_Samples = NDArray[np.int32]
_Ints = NDArray[np.int64]
_Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Rows:
    """The sound rows in the order of the file. columns: (n,) arrays of numbers by name, of these some besides A7's:

    channel, unit: places in `words` of that name. even: whether the samples are taken evenly. begin, end: the row's own
    in `samples`; dt_begin, dt_end: in `dt_us`, of those that are not even, the offsets from t0_us.
    """

    columns: Mapping[str, NDArray[Any]]
    words: Mapping[str, list[str]]
    samples: _Samples
    dt_us: _Samples


@dataclass(frozen=True, slots=True)
class _Lists:
    """(n,) lists of int32, one behind the other in `flat`. sound: whether there is one, and its check sum right."""

    flat: _Samples
    sizes: _Ints
    sound: _Flags

    @classmethod
    def of(cls, column: pa.ChunkedArray) -> _Lists:
        """A null inside becomes MISSING."""
        lists = column.chunk(0)
        flat = lists.values.fill_null(MISSING) if lists.values.null_count else lists.values
        ends = lists.offsets.to_numpy().astype(np.int64)
        return cls(flat.to_numpy(zero_copy_only=False)[ends[0] : ends[-1]], np.diff(ends), _known(lists))

    @classmethod
    def joined(cls, parts: Sequence[_Lists]) -> _Lists:
        if len(parts) == 1:
            return parts[0]
        flat, sizes = np.concatenate([one.flat for one in parts]), np.concatenate([one.sizes for one in parts])
        return cls(flat, sizes, np.concatenate([one.sound for one in parts]))


def read_rows(parquet: pq.ParquetFile, data: bytes, groups: Mapping[int, RowGroup], codes: Counter[str]) -> Rows | None:
    """The sound rows of the row groups; the others are counted, a group that cannot be decoded as one."""
    parts = _decoded(parquet, data, {number: group for number, group in groups.items() if group.rows}, codes)
    if not parts:
        return None
    tables, lists = zip(*parts, strict=True)
    return _sound(pa.concat_tables(tables).combine_chunks(), _Lists.joined(lists), codes)


def _decoded(
    parquet: pq.ParquetFile, data: bytes, groups: Mapping[int, RowGroup], codes: Counter[str]
) -> list[tuple[pa.Table, _Lists]]:
    """All columns but `values`, and these: of all groups at once; where one of them is damaged, of each by itself."""
    if not groups:
        return []
    given = parquet.schema_arrow.names
    names = [name for name in COLUMNS if name in given and name != "values"]
    try:
        table = _table(parquet, [*groups], names)
        chunks = [chunk for group in groups.values() for chunk in group.chunks if chunk.column == "values"]
        lists = _unpacked(data, chunks, table)
        if lists is None:
            lists = _checked(_Lists.of(_table(parquet, [*groups], ["values"])["values"]), table)
        return [(table, lists)]
    except (pa.ArrowException, OSError, ValueError, KeyError):
        codes["BLK_BAD"] += len(groups) == 1
    alone = ({number: group} for number, group in groups.items() if len(groups) > 1)
    return [part for one in alone for part in _decoded(parquet, data, one, codes)]


def _table(parquet: pq.ParquetFile, groups: list[int], names: list[str]) -> pa.Table:
    """The columns of row groups, each of its widest type."""
    table = parquet.read_row_groups(groups, columns=names, use_threads=False).combine_chunks()
    table.validate(full=True)
    return pa.table({name: table[name].cast(_KINDS[name]) for name in names})


def _unpacked(data: bytes, chunks: Sequence[Chunk], table: pa.Table) -> _Lists | None:
    """The values, decoded without Arrow and cut into lists of `n` each; None where this cannot be, or not every row has
    a check sum that says that it was right."""
    if "crc32" not in table.column_names or table["crc32"].null_count or table["n"].null_count:
        return None
    ends = np.cumsum([0, *(chunk.values for chunk in chunks)]).tolist()
    flat, sizes = np.empty(ends[-1], np.int32), table["n"].to_numpy()
    if ((sizes < 0) | (sizes > len(flat))).any() or sizes.sum() != len(flat):
        return None
    if not all(
        deltas(data, chunk, flat[begin:end]) for chunk, (begin, end) in zip(chunks, pairwise(ends), strict=True)
    ):
        return None
    lists = _checked(_Lists(flat, sizes, np.ones(len(sizes), np.bool_)), table)
    return lists if lists.sound.all() else None


def _checked(lists: _Lists, table: pa.Table) -> _Lists:
    """The lists, those not sound whose check sum is stated and wrong."""
    if "crc32" not in table.column_names:
        return lists
    stated, raw = table["crc32"], lists.flat.astype(LITTLE, copy=False).view(np.uint8).data
    claimed, told, sizes = _numbers(stated), _known(stated), lists.sizes * LITTLE.itemsize
    if told.all() and not (claimed >> 32).any() and joined_crc32(claimed, sizes) == isal_zlib.crc32(raw):
        return lists  # one call a block took 3.3 ms of a night, this 1.0
    cuts = np.concatenate([[0], np.cumsum(sizes)]).tolist()
    sums = np.fromiter((isal_zlib.crc32(raw[begin:end]) for begin, end in pairwise(cuts)), np.int64, len(stated))
    return _Lists(lists.flat, lists.sizes, lists.sound & ((sums == claimed) | ~told))


def _known(column: pa.Array | pa.ChunkedArray) -> _Flags:
    if not column.null_count:
        return np.ones(len(column), np.bool_)
    valid: _Flags = column.is_valid().to_numpy(zero_copy_only=False)
    return valid


def _numbers(column: pa.ChunkedArray) -> NDArray[Any]:
    """The numbers, 0 for a null."""
    numbers: NDArray[Any] = (pc.fill_null(column, 0) if column.null_count else column).to_numpy()
    return numbers


def _sound(table: pa.Table, values: _Lists, codes: Counter[str]) -> Rows:
    """The rows that state all they must, and whose counts, times and scales hold."""
    given = set(table.column_names)
    columns = {name: _numbers(table[name]) for name in _NUMBERS if name in given}
    columns |= {"even": _known(table["fs_hz"])} | _places(values.sizes, "begin", "end")
    stated = [_known(table[name]) for name in (*_NUMBERS, *_WORDS) if name not in _OPTIONAL]
    timed, dt_us = np.zeros(len(table), np.bool_), values.flat[:0]
    if "dt_us" in given:
        lists = _Lists.of(table["dt_us"])
        timed, dt_us = lists.sound & (lists.sizes == values.sizes), lists.flat
        columns |= _places(lists.sizes, "dt_begin", "dt_end")
    rows = np.flatnonzero(np.logical_and.reduce([*stated, values.sound, _plausible(columns, values.sizes, timed)]))
    codes["BLK_BAD"] += len(table) - len(rows)
    columns, words = {name: column[rows] for name, column in columns.items()}, {}
    for name in _WORDS:
        coded = table[name].chunk(0).take(pa.array(rows)).dictionary_encode()
        words[name], columns[name] = coded.dictionary.to_pylist(), coded.indices.to_numpy()
    return Rows(columns, words, values.flat, dt_us)


def _places(sizes: _Ints, begin: str, end: str) -> dict[str, _Ints]:
    ends = np.cumsum(sizes)
    return {begin: ends - sizes, end: ends}


def _plausible(columns: Mapping[str, NDArray[Any]], sizes: _Ints, timed: _Flags) -> _Flags:
    """(rows,) bool: whether counts, times and scales hold. timed: whether each of a row's samples has an offset."""
    fs_hz, t0_us = columns["fs_hz"], columns["t0_us"]
    slope, shift = np.abs(columns["scale"]), np.abs(columns["offset"])
    long = np.isfinite(fs_hz) & (fs_hz > 0) & (sizes > _LONGEST_BLOCK_S * fs_hz + 1)
    timed = timed & (t0_us >= 0) & (t0_us < LATEST_US)
    fit = (columns["n"] == sizes) & (sizes > 0) & np.where(columns["even"], ~long, timed)
    plausible: _Flags = fit & (slope >= 1 / _STEEPEST) & (slope <= _STEEPEST) & (shift <= _STEEPEST)
    return plausible
