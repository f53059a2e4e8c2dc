"""The device-neutral nightly raw format (DOMAIN A7), written."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from isal import isal_zlib
from numpy.typing import NDArray

from engine.night.recording import Channel, Events, Recording

FORMAT_VERSION = 1
KEY = b"nrf"
_INTS = pa.list_(pa.field("element", pa.int32(), nullable=False))
SCHEMA = pa.schema(
    [
        pa.field("channel", pa.dictionary(pa.int32(), pa.string())),
        pa.field("seq", pa.int32()),
        pa.field("t0_us", pa.int64()),
        pa.field("fs_hz", pa.float64()),
        pa.field("n", pa.int32()),
        pa.field("values", _INTS),
        pa.field("dt_us", _INTS),
        pa.field("scale", pa.float64()),
        pa.field("offset", pa.float64()),
        pa.field("unit", pa.string()),
        pa.field("crc32", pa.uint32()),
    ]
)
COLUMNS = tuple(SCHEMA.names)
DEVICE_KEYS = ("vendor", "model", "serial", "firmware")
TZ_KEYS = ("tz_iana", "tz_offset_min")
OWN_KEYS = frozenset(
    ("format_version", "subject_id", "session_id", "device", *TZ_KEYS, "channels", "segments", "expected", "codes")
)
_VALUES = "values.list.element"
PLAN = {
    "compression": {_VALUES: "zstd"},
    "use_dictionary": ["channel", "fs_hz", "n", "scale", "offset", "unit"],
    "column_encoding": dict.fromkeys((_VALUES, "dt_us.list.element", "seq", "t0_us"), "DELTA_BINARY_PACKED"),
    "write_page_checksum": True,
}
"""Of whole numbers the differences of neighbours in as few bits as they need; of what hardly changes, each value once.
No marks of nulls in lists. A third smaller than plain columns in zstd, and read in half the time; zstd makes only
`values` smaller yet, and took 1 ms of a night to unpack the others."""
_BLOCK_S = 60
LITTLE = np.dtype("<i4")
_Row = tuple[int, float | None, NDArray[np.int32], NDArray[np.int32] | None]


def export_nrf(recording: Recording) -> bytes:
    """The recording as an NRF file. Reading it gives back an equal recording, but for `file` and `sha256`.

    Besides A7's keys the metadata holds `expected`, `codes` and, for a channel of several segments, `segments`: the
    `seq` of each first block, so that segments that meet stay apart.
    """
    starts: dict[str, list[int]] = {}
    tables = [_table(channel, list(_blocks(channel, starts))) for channel in recording.channels.values()]
    tables += [_table(events, list(_event_blocks(events))) for events in recording.events.values()]
    meta = json.dumps(_metadata(recording, starts), sort_keys=False, separators=(",", ":"))
    sink = io.BytesIO()
    schema = SCHEMA.with_metadata({KEY: meta.encode()})
    with pq.ParquetWriter(sink, schema, **PLAN) as writer:
        for table in tables:
            writer.write_table(table, row_group_size=max(len(table), 1))
    return sink.getvalue()


def _metadata(recording: Recording, starts: dict[str, list[int]]) -> dict[str, Any]:
    kept = dict(recording.metadata)
    device = {**kept.pop("device", {}), **{key: getattr(recording.device, key) for key in DEVICE_KEYS}}
    zone = {"tz_iana": recording.zone} if recording.zone is not None else {}
    offset = {} if recording.offset_s is None else {"tz_offset_min": recording.offset_s / 60}
    return {
        "format_version": FORMAT_VERSION,
        "subject_id": recording.subject_id,
        "session_id": recording.session_id,
        "device": device,
        **zone,
        **offset,
        "channels": {name: dict(channel.info) for name, channel in recording.channels.items()},
        "segments": starts,
        "expected": list(recording.expected),
        "codes": dict(recording.codes),
        **kept,
    }


def _blocks(channel: Channel, starts: dict[str, list[int]]) -> Iterator[_Row]:
    firsts, seq = [], 0
    for segment in channel.segments:
        size = max(1, int(_BLOCK_S * segment.fs_hz))
        firsts.append(seq)
        for begin in range(0, len(segment.values), size):
            t0_us = segment.t0_us + round(begin * 1e6 / segment.fs_hz)
            yield t0_us, segment.fs_hz, segment.values[begin : begin + size], None
            seq += 1
    if len(firsts) > 1:
        starts[channel.name] = firsts


def _event_blocks(events: Events) -> Iterator[_Row]:
    begin = 0
    while begin < len(events.t_us):
        t0_us = int(events.t_us[begin])
        end = int(np.searchsorted(events.t_us, t0_us + _BLOCK_S * 10**6))
        yield t0_us, None, events.values[begin:end], (events.t_us[begin:end] - t0_us).astype(np.int32)
        begin = end


def _table(channel: Channel | Events, rows: list[_Row]) -> pa.Table:
    """One row group: the blocks of a channel."""
    count = len(rows)
    sizes = [len(values) for _, _, values, _ in rows]
    irregular = isinstance(channel, Events)
    columns = {
        "channel": pa.array([channel.name] * count, SCHEMA.field("channel").type),
        "seq": pa.array(range(count), pa.int32()),
        "t0_us": pa.array([t0_us for t0_us, *_ in rows], pa.int64()),
        "fs_hz": pa.array([fs_hz for _, fs_hz, *_ in rows], pa.float64()),
        "n": pa.array(sizes, pa.int32()),
        "values": _lists([values for _, _, values, _ in rows], sizes),
        "dt_us": _lists([dt for *_, dt in rows if dt is not None], sizes) if irregular else _no_lists(count),
        "scale": pa.array([channel.scale] * count, pa.float64()),
        "offset": pa.array([channel.offset] * count, pa.float64()),
        "unit": pa.array([channel.unit] * count, pa.string()),
        "crc32": pa.array([crc32(values) for _, _, values, _ in rows], pa.uint32()),
    }
    return pa.table(columns, schema=SCHEMA)


def crc32(values: NDArray[np.int32]) -> int:
    """CRC-32 of the values as little-endian int32."""
    return int(isal_zlib.crc32(np.ascontiguousarray(values, dtype=LITTLE)))


def _lists(parts: list[NDArray[np.int32]], sizes: list[int]) -> pa.ListArray:
    flat = np.concatenate([np.empty(0, np.int32), *parts])
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(flat, pa.int32()), type=_INTS)


def _no_lists(count: int) -> pa.ListArray:
    return pa.nulls(count, _INTS)
