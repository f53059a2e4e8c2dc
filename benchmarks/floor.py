"""What no reader of a recording can do without: unpack, decode, look at each value once. No checks, no salvage."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from isal import isal_zlib
from numpy.typing import NDArray

from engine.night.formats.e4 import SIGNALS
from engine.night.formats.zips import looks_like_zip
from kernels.cwa import STRIDE, unpack_packed
from kernels.text import parse_rows

HEADER, BLOCK, SAMPLES, FIRST_BYTE = 1024, 512, 120, 30


def floor(data: bytes) -> int:
    """Σ of all values of the E4's regular channels, a packed CWA's axes or an NRF's blocks."""
    if looks_like_zip(data):
        return sum(_one_pass(values) for values in _e4(data))
    if data.startswith(b"PAR1"):
        parquet = pq.ParquetFile(pa.BufferReader(data), memory_map=False, pre_buffer=False)
        groups = (parquet.read_row_group(i, ["values"], use_threads=False) for i in range(parquet.num_row_groups))
        return sum(_one_pass(pa.chunked_array(table["values"]).combine_chunks().values.to_numpy()) for table in groups)
    blocks = (len(data) - HEADER) // BLOCK
    packed = np.frombuffer(data, "<u4", blocks * STRIDE - 8, HEADER + FIRST_BYTE)
    return _one_pass(unpack_packed(packed, np.arange(blocks), SAMPLES * np.arange(blocks + 1)))


def _e4(data: bytes) -> list[NDArray[np.int32]]:
    found = []
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = {entry.filename: entry for entry in archive.infolist()}
    for part, signal in SIGNALS.items():
        entry = entries[f"{part.upper()}.csv"]
        begin = entry.header_offset + 30 + len(entry.filename) + len(entry.extra)
        text = isal_zlib.decompress(data[begin : begin + entry.compress_size], -15, entry.file_size)
        rows = text.index(b"\n", text.index(b"\n") + 1) + 1
        out = np.empty((len(signal.channels), len(text) // 2), np.int32)
        read, *_ = parse_rows(np.frombuffer(text, np.uint8), rows, signal.decimals, 44, 46, 2**31 - 1, out)
        found.append(out[:, :read])
    return found


def _one_pass(values: NDArray[np.int32]) -> int:
    return int(values.sum(dtype=np.int64))
