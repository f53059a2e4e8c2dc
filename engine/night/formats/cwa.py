"""Axivity AX3 and AX6 recordings, `.cwa`: a header and blocks of 512 bytes (DOMAIN A3)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
from numpy.typing import NDArray

from engine.module import RawFile
from engine.night.clock import SECOND_US
from engine.night.formats.anchors import Anchors, Spans, measure
from engine.night.formats.device_clock import local_clock
from engine.night.recording import Channel, Device, Recording, Unreadable
from kernels.cwa import FIRST, STRIDE, WORDS, sound, unpack_int16, unpack_packed

READER_VERSION = 1
_HEADER, _BLOCK = 1024, 512
_MAGIC, _BLOCK_MAGIC = b"MD\xfc\x03", b"AX\xfc\x01"
_AX6 = 0x64
_PACKED, _INT16 = 0, 2
_ACC, _GYR = ("acc_x", "acc_y", "acc_z"), ("gyr_x", "gyr_y", "gyr_z")
_SLOW = ("skin_temp", "light", "batt")
_SLOWEST = 6
"""The rate code of 6.25 Hz."""
_LONGEST_SET_US = 400 * 86_400 * SECOND_US
_FIELDS = {
    "fraction": ("<u2", 4),
    "session": ("<u4", 6),
    "seq": ("<u4", 10),
    "stamp": ("<u4", 14),
    "light": ("<u2", 18),
    "temp": ("<u2", 20),
    "batt": ("u1", 23),
    "rate": ("u1", 24),
    "axes": ("u1", 25),
    "offset": ("<i2", 26),
    "count": ("<u2", 28),
}
_LAYOUT = np.dtype(
    {
        "names": ["magic", *_FIELDS],
        "formats": ["S4", *(kind for kind, _ in _FIELDS.values())],
        "offsets": [0, *(at for _, at in _FIELDS.values())],
        "itemsize": 2 * FIRST,
    }
)
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Format:
    """How the samples lie in the blocks. rate: the code; scale: the light's top six bits, 0 where packed."""

    rate: int
    axes: int
    scale: int

    @property
    def fs_hz(self) -> float:
        return 3200.0 / (1 << (15 - (self.rate & 15)))

    @property
    def range_g(self) -> int:
        return 16 >> (self.rate >> 6)

    @property
    def packed(self) -> bool:
        return self.axes & 15 == _PACKED

    @property
    def columns(self) -> tuple[str, ...]:
        return _ACC if self.axes >> 4 == 3 else _GYR + _ACC

    def accelerometer(self) -> tuple[str, float, Mapping[str, Any]]:
        """Unit, scale and what is known of a channel. Packed samples lose their lowest bits far from 0, so that the
        upper rail lies below the range."""
        reach = self.range_g
        bits, scale, low, high = 16, 1 / (256 << (self.scale >> 3)), -(2**15), 2**15 - 1
        if self.packed:
            bits, scale, low, high = 10, 1 / 256, -256 * reach, 256 * reach - max(reach // 2, 1)
        rail = {"sat_low": low, "sat_high": high}
        return (
            "g",
            scale,
            {"sensor_range": reach, "resolution_bits": bits, **rail, "quantum": 1, "nominal_hz": self.fs_hz},
        )

    def gyroscope(self) -> tuple[str, float, Mapping[str, Any]]:
        reach = 8000 / (1 << (self.scale & 7))
        info = {"sensor_range": reach, "resolution_bits": 16, "sat_low": -(2**15), "sat_high": 2**15 - 1}
        return "deg/s", reach / 2**15, {**info, "quantum": 1, "nominal_hz": self.fs_hz}


def looks_like_cwa(data: bytes) -> bool:
    """By the header's first bytes, or where those are hurt by the first block's."""
    return data.startswith(_MAGIC) or data[_HEADER : _HEADER + 4] == _BLOCK_MAGIC


def read(file: RawFile) -> Recording | Unreadable:
    """A recording, or why there is none. Times are the device's local clock until `device_clock.placed` moves them.

    A block with a wrong check sum or without meaning is dropped and leaves a gap; BLK_BAD counts it and what the block
    numbers say is missing. `metadata["blocks"]` is how many there should be.
    """
    name, data = file.name, file.data
    codes: Counter[str] = Counter()
    count = max(len(data) - _HEADER, 0) // _BLOCK
    words = np.frombuffer(data, "<u2", count * WORDS, _HEADER if count else 0).reshape(count, WORDS)
    blocks = np.ascontiguousarray(words[:, :FIRST]).reshape(-1).view(_LAYOUT)
    rows = np.flatnonzero(sound(words) & _meaningful(blocks))
    codes["BLK_BAD"] += len(data) > _HEADER + count * _BLOCK
    if not len(rows):
        codes["BLK_BAD"] += count
        return Unreadable(
            name, dict(+codes) or {"SIG_EMPTY": 1}, "an Axivity file, no block of it whole: copy it again"
        )
    kind, rows = _usual(blocks, rows)
    rows, spare = _once(blocks, words, rows, codes)
    missing = _missing(blocks, rows, count - spare)
    codes["BLK_BAD"] += missing
    sound_blocks = blocks[rows]
    anchors = _anchors(sound_blocks, kind.fs_hz)
    spans = measure(anchors, codes)
    if not len(spans.low):
        return Unreadable(name, dict(+codes), f"a rate over 10 % off the declared {kind.fs_hz:g} Hz: copy it again")
    if kind.packed:
        samples = unpack_packed(np.frombuffer(data, "<u4", count * STRIDE - 8, _HEADER + 30), rows, anchors.start)
    else:
        samples = unpack_int16(words, rows, anchors.start, len(kind.columns))
    channels = _moving(samples, spans, kind, codes) | _slow(sound_blocks, spans.by_block(anchors.start))
    if not channels:
        return Unreadable(name, dict(+codes), "no block has a time that can be: set the device's clock")
    return _recording(file, channels, kind, codes, int(anchors.t_us[0]), len(rows) + missing)


def stamp_s(stamp: Ints) -> Ints:
    """(n,) int64: seconds since 1970 on the device's clock, from bits YYYYYY MMMM DDDDD hhhhh mmmmmm ssssss.

    >>> stamp_s(np.array([0x6AEC596A])).astype("M8[s]").item().isoformat()
    '2026-11-22T05:37:42'
    """
    months = ((stamp >> 26) + 30) * 12 + ((stamp >> 22) & 15) - 1
    days = months.astype("M8[M]").astype("M8[D]").astype(np.int64) + ((stamp >> 17) & 31) - 1
    seconds: Ints = days * 86_400 + ((stamp >> 12) & 31) * 3_600 + ((stamp >> 6) & 63) * 60 + (stamp & 63)
    return seconds


def _dated(stamp: Ints) -> NDArray[np.bool_]:
    month, day, hour = (stamp >> 22) & 15, (stamp >> 17) & 31, (stamp >> 12) & 31
    dated: NDArray[np.bool_] = (month >= 1) & (month <= 12) & (day >= 1) & (hour < 24)
    return dated & (((stamp >> 6) & 63) < 60) & ((stamp & 63) < 60)


def _meaningful(blocks: NDArray[Any]) -> NDArray[np.bool_]:
    """(n,) bool: a data block whose layout is known, whose samples fit in and whose time stamp is a date."""
    three, six = blocks["axes"] == 0x30 + _INT16, blocks["axes"] == 0x60 + _INT16
    capacity = np.select([blocks["axes"] == 0x30 + _PACKED, three, six], [120, 80, 40], 0)
    fits = (blocks["count"] > 0) & (blocks["count"] <= capacity) & (blocks["rate"] & 15 >= _SLOWEST)
    meaningful: NDArray[np.bool_] = (blocks["magic"] == _BLOCK_MAGIC) & fits & _dated(blocks["stamp"].astype(np.int64))
    return meaningful


def _usual(blocks: NDArray[Any], rows: Ints) -> tuple[_Format, Ints]:
    """The layout that most blocks have, and the rows that have it."""
    axes = blocks["axes"][rows].astype(np.int64)
    scale = np.where(axes & 15 == _PACKED, 0, blocks["light"][rows] >> 10)
    layouts = blocks["rate"][rows].astype(np.int64) << 16 | axes << 8 | scale
    kinds, counts = np.unique(layouts, return_counts=True)
    kind = int(kinds[np.argmax(counts)])
    return _Format(kind >> 16, kind >> 8 & 255, kind & 255), rows[layouts == kind]


def _once(blocks: NDArray[Any], words: NDArray[Any], rows: Ints, codes: Counter[str]) -> tuple[Ints, int]:
    """The rows without those whose number and second came before, and how many went."""
    keys = blocks["seq"][rows].astype(np.int64) << 32 | blocks["stamp"][rows]
    if (np.diff(keys) > 0).all():
        return rows, 0
    _, first, of = np.unique(keys, return_index=True, return_inverse=True)
    original = first[of]
    again = np.flatnonzero(original != np.arange(len(rows)))
    alike = (words[rows[again]] == words[rows[original[again]]]).all(axis=1)
    codes["T_DUP"] += int(np.count_nonzero(alike))
    codes["T_CONFLICT"] += int(np.count_nonzero(~alike))
    return rows[np.sort(first)], len(again)


def _missing(blocks: NDArray[Any], rows: Ints, count: int) -> int:
    """Blocks in the file that are not among the rows, and those that the block numbers skip besides."""
    skipped = np.diff(blocks["seq"][rows].astype(np.int64)) - np.diff(rows)
    same = np.diff(blocks["session"][rows]) == 0
    return min(count - len(rows) + int(skipped[same & (skipped > 0)].sum()), 2**31)


def _anchors(blocks: NDArray[Any], fs_hz: float) -> Anchors:
    """When which sample was taken. A new session begins at a block number far from the last one's."""
    start = np.concatenate([[0], np.cumsum(blocks["count"], dtype=np.int64)])
    fraction = blocks["fraction"].astype(np.int64)
    fraction = np.where(fraction & 0x8000, (fraction & 0x7FFF) << 1, 0)
    index = start[:-1] + blocks["offset"] + ((fraction * int(fs_hz)) >> 16)
    sessions = np.cumsum(np.concatenate([[0], np.diff(blocks["session"]) != 0]))
    seq = blocks["seq"].astype(np.int64) + (sessions << 33)
    t_us = (stamp_s(blocks["stamp"].astype(np.int64)) + fraction / 65_536) * SECOND_US
    return Anchors(seq, start, index, t_us, fs_hz)


def _moving(samples: NDArray[np.int32], spans: Spans, kind: _Format, codes: Counter[str]) -> dict[str, Channel]:
    """The axes, as columns of the samples."""
    channels = {}
    for name, values in zip(kind.columns, samples, strict=True):
        unit, scale, info = kind.gyroscope() if name in _GYR else kind.accelerometer()
        segments = spans.segments(values, codes if name == kind.columns[0] else Counter())
        if segments:
            channels[name] = Channel(name, unit, scale, 0.0, segments, info)
    return channels


def _slow(blocks: NDArray[Any], spans: Spans) -> dict[str, Channel]:
    """What a block holds once: temperature inside the case, light and battery."""
    raw = {"skin_temp": blocks["temp"] & 0x3FF, "light": blocks["light"] & 0x3FF, "batt": blocks["batt"]}
    kinds = {"skin_temp": ("Cel", 75 / 256, -50.0), "light": ("1", 1.0, 0.0), "batt": ("V", 6 / 1024, 3.0)}
    infos = {"skin_temp": {"quantum": 1, "place": "inside the case"}}
    channels = {}
    for name, values in raw.items():
        segments = spans.segments(values.astype(np.int32), Counter())
        if segments:
            channels[name] = Channel(name, *kinds[name], segments, infos.get(name, {"quantum": 1}))
    return channels


def _recording(
    file: RawFile, channels: dict[str, Channel], kind: _Format, codes: Counter[str], first_us: int, blocks: int
) -> Recording:
    data = file.data
    header = data[:_HEADER] if data.startswith(_MAGIC) else bytes(_HEADER)
    upper, lower = _whole(header, 11, 2), _whole(header, 5, 2)
    serial = lower + (upper << 16 if upper != 0xFFFF else 0)
    ax6 = header[4] == _AX6 or len(kind.columns) == 6
    notes = _annotation(header)
    place = {"wear_location": notes["_p"]} if "_p" in notes else {}
    return Recording(
        file=file.name,
        sha256=file.sha256,
        device=Device(
            "Axivity", "AX6" if ax6 else "AX3", str(serial) if serial else None, str(header[41] or "") or None
        ),
        subject_id=notes.get("_sc"),
        session_id=str(_whole(header, 7, 4)) if header[0] else None,
        zone=None,
        offset_s=None,
        channels=channels,
        events={},
        expected=(*kind.columns, *_SLOW),
        codes={code: count for code, count in sorted(codes.items()) if count},
        metadata={
            "source": {"format": "axivity-cwa", "sha256": file.sha256, "reader_version": READER_VERSION},
            "clock": local_clock(_set_us(header, first_us)),
            "blocks": blocks,
            "annotation": notes,
            **place,
        },
    )


def _set_us(header: bytes, first_us: int) -> int:
    """When the device was configured, on its own clock; the first sample's time if the header doesn't say so."""
    stamp = np.array([_whole(header, 37, 4)])
    set_us = int(stamp_s(stamp)[0]) * SECOND_US
    return set_us if _dated(stamp)[0] and 0 <= first_us - set_us <= _LONGEST_SET_US else first_us


def _annotation(header: bytes) -> dict[str, str]:
    """The notes that the configuring program left: `_p` the place, `_sc` the subject's code and others."""
    text = header[64:512].strip(b" \x00\xff").decode("latin-1")
    return dict(parse_qsl(text))


def _whole(header: bytes, at: int, size: int) -> int:
    return int.from_bytes(header[at : at + size], "little")
