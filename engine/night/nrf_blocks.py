"""The rows of an NRF file's row group as blocks, those that hold what they say. Rows are judged as columns: a night has
thousands of them, and one at a time they took as long as decoding their values."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from engine.night.clock import LATEST_US
from engine.night.nrf_write import COLUMNS, crc32
from engine.night.recording import MISSING

_LONGEST_BLOCK_S = 61.0
_STEEPEST = 1e12
_WORDS = ("channel", "unit")
_LISTS = ("values", "dt_us")
_OPTIONAL = ("fs_hz", "crc32")
_WHOLE, _REAL = ("seq", "t0_us", "n", "crc32"), ("fs_hz", "scale", "offset")
_WIDEST = dict.fromkeys(_WHOLE, pa.int64()) | dict.fromkeys(_REAL, pa.float64())
_Flags = NDArray[np.bool_]


class Block(NamedTuple):
    """One row. `dt_us`: offsets of irregular samples, else None; `fs_hz` is then None too."""

    channel: str
    seq: int
    t0_us: int
    fs_hz: float | None
    values: NDArray[np.int32]
    dt_us: NDArray[np.int32] | None
    scale: float
    offset: float
    unit: str


@dataclass(frozen=True, slots=True)
class _Lists:
    """A column of int32 lists as one flat array; a null inside becomes MISSING. Lists lie at offsets: (rows + 1,)."""

    flat: NDArray[np.int32]
    offsets: NDArray[np.int32]
    valid: _Flags

    @classmethod
    def of(cls, table: pa.Table, name: str) -> _Lists:
        column = table[name].cast(pa.list_(pa.int32())).combine_chunks()
        column = column.chunk(0) if isinstance(column, pa.ChunkedArray) else column
        flat = column.values.fill_null(MISSING) if column.values.null_count else column.values
        return cls(flat.to_numpy(zero_copy_only=False), column.offsets.to_numpy(), _known(column))

    @property
    def sizes(self) -> NDArray[np.int32]:
        return np.diff(self.offsets)

    def at(self, rows: NDArray[np.int64]) -> list[NDArray[np.int32]]:
        begins, ends = self.offsets[rows].tolist(), self.offsets[rows + 1].tolist()
        return [self.flat[begin:end] for begin, end in zip(begins, ends, strict=True)]


def read_blocks(parquet: pq.ParquetFile, group: int, codes: Counter[str]) -> list[Block]:
    """The sound blocks of a row group; the others are counted, a group that cannot be decoded as one."""
    names = [name for name in COLUMNS if name in parquet.schema_arrow.names]
    try:
        table = parquet.read_row_group(group, columns=names, use_threads=False).combine_chunks()
        table.validate(full=True)
        lists = {name: _Lists.of(table, name) for name in _LISTS if name in names}
        cells = {name: table[name].cast(kind) for name, kind in _WIDEST.items() if name in names}
        words = {name: table[name].cast(pa.string()) for name in _WORDS}
    except (pa.ArrowException, OSError, ValueError, KeyError):
        codes["BLK_BAD"] += 1
        return []
    known = np.logical_and.reduce([_known(column) for name, column in (cells | words).items() if name not in _OPTIONAL])
    columns = {name: pc.fill_null(column, 0).to_numpy() for name, column in cells.items()}
    regular = _known(cells["fs_hz"])
    rows = np.flatnonzero(known & _plausible(columns, lists, regular))
    values = lists["values"].at(rows)
    if "crc32" in cells:
        whole = _checked(values, columns["crc32"][rows], _known(cells["crc32"])[rows])
        rows, values = rows[whole], [one for one, kept in zip(values, whole.tolist(), strict=True) if kept]
    codes["BLK_BAD"] += len(table) - len(rows)
    return _blocks(rows, columns, words, regular, values, lists.get("dt_us"))


def _known(column: pa.Array | pa.ChunkedArray) -> _Flags:
    valid: _Flags = column.is_valid().to_numpy(zero_copy_only=False)
    return valid


def _plausible(columns: dict[str, NDArray[Any]], lists: dict[str, _Lists], regular: _Flags) -> _Flags:
    """(rows,) bool: whether counts, times and scales of a row hold."""
    values, dt_us = lists["values"], lists.get("dt_us")
    sizes, fs_hz, t0_us = values.sizes, columns["fs_hz"], columns["t0_us"]
    slope, shift = np.abs(columns["scale"]), np.abs(columns["offset"])
    long = np.isfinite(fs_hz) & (fs_hz > 0) & (sizes > _LONGEST_BLOCK_S * fs_hz + 1)
    timed = (t0_us >= 0) & (t0_us < LATEST_US)
    timed &= dt_us.valid & (dt_us.sizes == sizes) if dt_us else False
    fit = values.valid & (columns["n"] == sizes) & (sizes > 0) & np.where(regular, ~long, timed)
    plausible: _Flags = fit & (slope >= 1 / _STEEPEST) & (slope <= _STEEPEST) & (shift <= _STEEPEST)
    return plausible


def _checked(values: list[NDArray[np.int32]], sums: NDArray[np.int64], stated: _Flags) -> _Flags:
    """(blocks,) bool: whether the check sum is right, or there is none."""
    found = np.fromiter(map(crc32, values), np.int64, len(values))
    checked: _Flags = (found == sums) | ~stated
    return checked


def _blocks(
    rows: NDArray[np.int64],
    columns: dict[str, NDArray[Any]],
    words: dict[str, pa.ChunkedArray],
    regular: _Flags,
    values: list[NDArray[np.int32]],
    dt_us: _Lists | None,
) -> list[Block]:
    """Blocks of the rows; all `values` are theirs."""
    told = {name: columns[name][rows].tolist() for name in ("seq", "t0_us", "fs_hz", "scale", "offset")}
    told |= {name: column.take(rows).to_pylist() for name, column in words.items()}
    even = regular[rows].tolist()
    told["fs_hz"] = [fs_hz if one else None for fs_hz, one in zip(told["fs_hz"], even, strict=True)]
    offsets = dt_us.at(rows) if dt_us else values
    told["dt_us"] = [None if one else offset for offset, one in zip(offsets, even, strict=True)]
    told["values"] = values
    return list(map(Block._make, zip(*(told[name] for name in Block._fields), strict=True)))
