"""The device-neutral nightly raw format (DOMAIN A7), read: one Parquet file a recording, one row a block."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from engine.module import RawFile
from engine.night.clock import Blocks, gathered, in_order
from engine.night.formats.nrf_blocks import Rows, read_rows
from engine.night.formats.nrf_write import COLUMNS, DEVICE_KEYS, KEY, OWN_KEYS
from engine.night.formats.nrf_write import export_nrf as export_nrf
from engine.night.formats.parquet_pages import RowGroup, dictionary_bytes, pages_agree, row_groups
from engine.night.reasons import CODES
from engine.night.recording import Channel, Device, Events, Recording, Segment, Unreadable

_MAGIC = b"PAR1"
_OPTIONAL = ("dt_us", "crc32")
_KIND = ("scale", "offset", "unit", "even")
_MOST_CHANNELS, _MOST_SEQ = 256, 1 << 63
_MOST_OFFSET_MIN = 16 * 60
_SLOWEST_HZ, _FASTEST_HZ = 1e-3, 1e5
_BYTES_A_VALUE = 4


def looks_like_parquet(data: bytes) -> bool:
    return data.startswith(_MAGIC)


def read(file: RawFile, max_unpacked_mb: int) -> Recording | Unreadable:
    """A recording, or why there is none. Lost blocks count as `BLK_BAD`; sizes are judged before decoding."""
    name, data = file.name, file.data
    try:
        parquet = pq.ParquetFile(pa.BufferReader(data), pre_buffer=False, page_checksum_verification=True)
        footer = (parquet.schema_arrow.metadata or {}).get(KEY)
        names = parquet.schema_arrow.names
    except (pa.ArrowException, OSError, ValueError) as error:
        return Unreadable(name, {"BLK_BAD": 1}, f"damaged Parquet file: {_first_line(error)}; send it again")
    listed = row_groups(data)
    if listed is None or len(listed) != parquet.num_row_groups:
        return Unreadable(name, {"BLK_BAD": 1}, "damaged Parquet file: its footer cannot be; send it again")
    refusal = _refusal(names, listed, max_unpacked_mb)
    if footer is None or refusal == "columns" or (columns := _columns(parquet)) is None:
        return Unreadable(name, {"FORMAT_UNKNOWN": 1}, "a Parquet file, but not NRF: key 'nrf' or columns are missing")
    if refusal:
        return Unreadable(name, {"ZIP_UNSAFE": 1}, f"not unpacked: {refusal}")
    meta = _metadata(footer)
    if meta is None:
        return Unreadable(name, {"BLK_BAD": 1}, "the metadata under key 'nrf' is no JSON object; send the file again")
    codes: Counter[str] = Counter({code: _whole(n) for code, n in _mapping(meta, "codes").items() if code in CODES})
    groups = {number: group for number, group in enumerate(listed) if _is_honest(group, data, len(columns))}
    codes["BLK_BAD"] += len(listed) - len(groups)
    if _written_out(data, groups.values(), columns) > max_unpacked_mb << 20:
        return Unreadable(name, {"ZIP_UNSAFE": 1}, f"words take more than max_unpacked_mb = {max_unpacked_mb}")
    rows = read_rows(parquet, data, groups, codes)
    if rows is None or not rows.words["channel"]:
        return Unreadable(name, dict(codes + Counter(BLK_BAD=1)), "no block could be read; send the file again")
    return _recording(file, meta, rows, codes)


def _refusal(names: Sequence[str], groups: Sequence[RowGroup], max_unpacked_mb: int) -> str:
    """Why the footer forbids decoding; empty if it does not. Counts values as well as bytes: run-length encoding can
    declare a billion values in a few bytes."""
    most = max_unpacked_mb << 20
    if not set(COLUMNS) - set(_OPTIONAL) <= set(names):
        return "columns"
    chunks = [chunk for group in groups for chunk in group.chunks]
    values, total = sum(chunk.values for chunk in chunks), sum(chunk.unpacked for chunk in chunks)
    if max(total, values * _BYTES_A_VALUE, sum(group.rows for group in groups) * _BYTES_A_VALUE) > most:
        return f"the footer declares more than max_unpacked_mb = {max_unpacked_mb}"
    return ""


def _metadata(raw: bytes) -> dict[str, Any] | None:
    try:
        meta = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return meta if isinstance(meta, dict) else None


def _columns(parquet: pq.ParquetFile) -> list[bool] | None:
    """Of each column of the schema whether it is read and has words; None where one that is read has words of a fixed
    length, of which nulls take as much as values."""
    columns = [parquet.schema.column(number) for number in range(len(parquet.schema))]
    kinds = [one.physical_type if one.path.partition(".")[0] in COLUMNS else "" for one in columns]
    return None if "FIXED_LEN_BYTE_ARRAY" in kinds else [kind == "BYTE_ARRAY" for kind in kinds]


def _is_honest(group: RowGroup, data: bytes, columns: int) -> bool:
    """Whether the pages hold as much as the footer says, which `_refusal` has judged. Of all columns: Arrow goes by
    their numbers, and their names in a row group may be forged."""
    return len(group.chunks) == columns and all(pages_agree(data, chunk) for chunk in group.chunks)


def _written_out(data: bytes, groups: Iterable[RowGroup], columns: Sequence[bool]) -> int:
    """The most bytes that words take in the rows: a long one is stored once, and each row may name it."""
    return sum(
        chunk.values * dictionary_bytes(data, chunk)
        for group in groups
        for chunk, words in zip(group.chunks, columns, strict=True)
        if words
    )


def _recording(file: RawFile, meta: dict[str, Any], rows: Rows, codes: Counter[str]) -> Recording | Unreadable:
    infos, starts = _mapping(meta, "channels"), _mapping(meta, "segments")
    channels: dict[str, Channel] = {}
    events: dict[str, Events] = {}
    for name, own in _by_channel(rows, codes):
        scale, offset, unit, is_even = (rows.columns[key][own[0]].item() for key in _KIND)
        shape = (name, rows.words["unit"][unit], scale, offset)
        if not is_even:
            events[name] = Events(*shape, *_instants(rows, own, codes))
            continue
        segments = _segments(rows, own, starts.get(name), codes)
        if segments:
            info = infos.get(name)
            channels[name] = Channel(*shape, segments, info if isinstance(info, dict) else {})
    if "codes" not in meta:
        codes["SIG_MISSING"] += len(set(infos) - set(channels) - set(events))
    if not channels:
        return Unreadable(
            file.name, {code: n for code, n in codes.items() if n}, "no signal could be read from the file"
        )
    return _titled(file, meta, channels, events, codes)


def _by_channel(rows: Rows, codes: Counter[str]) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """Each channel's rows as the device numbered them; those of another kind than its first in the file are lost."""
    channel = rows.columns["channel"]
    first = np.unique(channel, return_index=True)[1][channel]
    alike = np.logical_and.reduce([rows.columns[key] == rows.columns[key][first] for key in _KIND])
    order = np.lexsort((rows.columns["seq"], channel))
    cuts = np.searchsorted(channel[order], np.arange(len(rows.words["channel"]) + 1)).tolist()
    for name, (begin, end) in zip(rows.words["channel"][:_MOST_CHANNELS], pairwise(cuts), strict=False):
        own = order[begin:end]
        codes["BLK_BAD"] += int(np.count_nonzero(~alike[own]))
        yield name, own[alike[own]]


def _segments(rows: Rows, own: NDArray[np.int64], firsts: object, codes: Counter[str]) -> tuple[Segment, ...]:
    """firsts: `seq` of the blocks that begin a segment, as the file says."""
    seqs = [seq for seq in firsts if isinstance(seq, int) and abs(seq) < _MOST_SEQ] if isinstance(firsts, list) else []
    seq, t0_us, fs_hz, begin, end = (rows.columns[key][own] for key in ("seq", "t0_us", "fs_hz", "begin", "end"))
    forced = np.isin(seq, np.array(seqs, np.int64))
    sound = (fs_hz >= _SLOWEST_HZ) & (fs_hz <= _FASTEST_HZ)
    codes["FS_BAD"] += not sound.all()
    blocks = Blocks(t0_us, fs_hz, begin, end, forced, rows.samples).take(sound)
    return in_order(blocks, seq[sound], codes)


def _instants(rows: Rows, own: NDArray[np.int64], codes: Counter[str]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """UTC µs and values of irregular samples in time order; a repeated instant keeps its first value."""
    keys = ("t0_us", "begin", "end", "dt_begin", "dt_end")
    t0_us, begin, end, dt_begin, dt_end = (rows.columns[key][own] for key in keys)
    t_us = np.repeat(t0_us, end - begin) + gathered(rows.dt_us, dt_begin, dt_end)
    times: NDArray[np.int64]
    times, first = np.unique(t_us, return_index=True)
    codes["T_DUP"] += len(t_us) - len(times)
    return times, gathered(rows.samples, begin, end)[first]


def _titled(
    file: RawFile,
    meta: dict[str, Any],
    channels: dict[str, Channel],
    events: dict[str, Events],
    codes: Counter[str],
) -> Recording:
    """The recording with what the metadata says of it; keys that mean nothing here are kept."""
    device = _mapping(meta, "device")
    zone = _zone(_text(meta, "tz_iana"), codes)
    minutes = meta.get("tz_offset_min")
    told = isinstance(minutes, int | float) and not isinstance(minutes, bool) and abs(minutes) <= _MOST_OFFSET_MIN
    more = {key: value for key, value in device.items() if key not in DEVICE_KEYS}
    listed = meta.get("expected")
    expected = listed if isinstance(listed, list) else [*_mapping(meta, "channels"), *channels]
    return Recording(
        file=file.name,
        sha256=file.sha256,
        device=Device(
            *(_text(device, key) or "unknown" for key in DEVICE_KEYS[:2]),
            *(_text(device, key) for key in DEVICE_KEYS[2:]),
        ),
        subject_id=_text(meta, "subject_id"),
        session_id=_text(meta, "session_id"),
        zone=zone,
        offset_s=round(float(minutes or 0) * 60) if told else None,
        channels=channels,
        events=events,
        expected=tuple(dict.fromkeys(str(channel) for channel in expected if channel not in events)),
        codes={code: count for code, count in sorted(codes.items()) if count},
        metadata={key: value for key, value in meta.items() if key not in OWN_KEYS}
        | ({"device": more} if more else {}),
    )


def _zone(name: str | None, codes: Counter[str]) -> str | None:
    """An IANA name that exists, else None and `TZ_UNKNOWN`."""
    try:
        return None if name is None else ZoneInfo(name).key
    except (ValueError, OSError, KeyError):
        codes["TZ_UNKNOWN"] += 1
        return None


def _mapping(meta: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = meta.get(key)
    return value if isinstance(value, dict) else {}


def _text(meta: Mapping[str, Any], key: str) -> str | None:
    value = meta.get(key)
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else None


def _whole(value: object) -> int:
    return min(value, 2**31) if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:120]
