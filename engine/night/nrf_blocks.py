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
    offsets: NDArray[np.int64]
    valid: _Flags

    @classmethod
    def of(cls, table: pa.Table, name: str) -> _Lists:
        column = table[name]
        column = column if column.type.value_type == pa.int32() else column.cast(pa.list_(pa.int32()))
        column = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
        flat = column.values.fill_null(MISSING) if column.values.null_count else column.values
        return cls(flat.to_numpy(zero_copy_only=False), column.offsets.to_numpy().astype(np.int64), _known(column))

    @property
    def sizes(self) -> NDArray[np.int64]:
        return np.diff(self.offsets)

    def at(self, rows: NDArray[np.int64]) -> list[NDArray[np.int32]]:
        begins, ends = self.offsets[rows].tolist(), self.offsets[rows + 1].tolist()
        return [self.flat[begin:end] for begin, end in zip(begins, ends, strict=True)]


def read_blocks(
    parquet: pq.ParquetFile, group: int, flat: NDArray[np.int32] | None, codes: Counter[str]
) -> list[Block]:
    """The sound blocks of a row group; the others are counted, a group that cannot be decoded as one. flat: what the
    values of all its rows seem to be, if that is known."""
    present = set(parquet.schema_arrow.names) - {"values"}
    names = [name for name in COLUMNS if name in present]
    try:
        table = _table(parquet, group, names)
        cells = {name: table[name].cast(kind) for name, kind in _WIDEST.items() if name in names}
        words = {name: table[name].cast(pa.string()) for name in _WORDS}
        dt_us = _Lists.of(table, "dt_us") if "dt_us" in names else None
        values = _verified(flat, cells) or _Lists.of(_table(parquet, group, ["values"]), "values")
    except (pa.ArrowException, OSError, ValueError, KeyError):
        codes["BLK_BAD"] += 1
        return []
    known = np.logical_and.reduce([_known(column) for name, column in (cells | words).items() if name not in _OPTIONAL])
    columns = {name: pc.fill_null(column, 0).to_numpy() for name, column in cells.items()}
    regular = _known(cells["fs_hz"])
    rows = np.flatnonzero(known & _plausible(columns, values, dt_us, regular))
    if "crc32" in cells and values.flat is not flat:
        rows = rows[_checked(values.at(rows), columns["crc32"][rows], _known(cells["crc32"])[rows])]
    codes["BLK_BAD"] += len(table) - len(rows)
    return _blocks(rows, columns, words, regular, values, dt_us)


def _table(parquet: pq.ParquetFile, group: int, names: list[str]) -> pa.Table:
    table = parquet.read_row_group(group, columns=names, use_threads=False).combine_chunks()
    table.validate(full=True)
    return table


def _verified(flat: NDArray[np.int32] | None, cells: dict[str, pa.ChunkedArray]) -> _Lists | None:
    """The values cut into lists of `n` each, if every row has a check sum and it says that they are right."""
    if flat is None or "crc32" not in cells or cells["crc32"].null_count or cells["n"].null_count:
        return None
    sizes = cells["n"].to_numpy()
    if ((sizes < 0) | (sizes > len(flat))).any() or sizes.sum() != len(flat):
        return None
    lists = _Lists(flat, np.concatenate([[0], np.cumsum(sizes)]), np.ones(len(sizes), np.bool_))
    rows = np.arange(len(sizes))
    right = _checked(lists.at(rows), cells["crc32"].to_numpy(), np.ones(len(rows), np.bool_))
    return lists if right.all() else None


def _known(column: pa.Array | pa.ChunkedArray) -> _Flags:
    valid: _Flags = column.is_valid().to_numpy(zero_copy_only=False)
    return valid


def _plausible(columns: dict[str, NDArray[Any]], values: _Lists, dt_us: _Lists | None, regular: _Flags) -> _Flags:
    """(rows,) bool: whether counts, times and scales of a row hold."""
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
    values: _Lists,
    dt_us: _Lists | None,
) -> list[Block]:
    told = {name: columns[name][rows].tolist() for name in ("seq", "t0_us", "fs_hz", "scale", "offset")}
    told |= {name: column.take(rows).to_pylist() for name, column in words.items()}
    even = regular[rows].tolist()
    told["fs_hz"] = [fs_hz if one else None for fs_hz, one in zip(told["fs_hz"], even, strict=True)]
    told["values"] = values.at(rows)
    offsets = dt_us.at(rows) if dt_us else told["values"]
    told["dt_us"] = [None if one else offset for offset, one in zip(offsets, even, strict=True)]
    return list(map(Block._make, zip(*(told[name] for name in Block._fields), strict=True)))
