"""ActiGraph recordings, `.gt3x`: a zip of `info.txt` and `log.bin` (DOMAIN A5).

A device in idle sleep writes no records. Other readers repeat its last sample over such a hole; here it stays a hole:
a flat line of ten seconds would be masked all the same (A8), and a lost record must not look like rest.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.module import RawFile
from engine.night.clock import SECOND_US
from engine.night.formats.anchors import Anchors, measure
from engine.night.formats.device_clock import local_clock
from engine.night.formats.zips import Archive, Entry
from engine.night.recording import Channel, Device, Recording, Unreadable
from kernels.gt3x import HEAD, records, unpack_12_bit, unpack_16_bit

READER_VERSION = 1
EXPECTED = ("acc_x", "acc_y", "acc_z")
LOG, INFO = "log.bin", "info.txt"
_ACTIVITY, _PARAMETERS, _ACTIVITY2 = 0, 21, 26
_ACCEL_SCALE = 55
_LSB_PER_G = {"NEO": 341.0, "CLE": 341.0}
_USUAL_LSB_PER_G = 256.0
_ROTATED = ("MOS", "1.6.0")
_BYTES_A_SAMPLE = {_ACTIVITY: 4.5, _ACTIVITY2: 6.0}
_RATES_HZ = range(30, 101, 10)
_DOTNET_US = 62_135_596_800 * SECOND_US
"""From the year 1, where .NET counts tenths of a microsecond from, to 1970."""
_LONGEST_INFO = 1 << 16
_ZONE = re.compile(r"(-?)(\d\d?):(\d\d):\d\d")
Ints = NDArray[np.int64]


def members(archive: Archive) -> dict[str, Entry] | None:
    """The two files at the root of the zip; None where it is no .gt3x."""
    found = {entry.name: entry for entry in archive.entries if entry.name in (LOG, INFO)}
    return found if LOG in found else None


def read(file: RawFile, archive: Archive, found: Mapping[str, Entry]) -> Recording | Unreadable:
    """A recording, or why there is none. With a `TimeZone` line times are UTC, else the device's local clock until
    `device_clock.placed` moves them.

    A record whose check sum is wrong is dropped and leaves a gap; BLK_BAD counts such places.
    """
    info = _info(archive.read(found[INFO]) if INFO in found else None)
    log = archive.read(found[LOG])
    if log is None:
        return Unreadable(file.name, {"ZIP_TRUNC": 1}, "log.bin is damaged: download the device again")
    data = np.frombuffer(log, np.uint8)
    table = records(data)
    codes = Counter({"BLK_BAD": _broken(table, len(data)), "ZIP_TRUNC": archive.broken + int(archive.damaged)})
    kind, rows = _activity(table)
    fs_hz = _rate_hz(info, rows, kind)
    if not len(rows) or not fs_hz:
        why = "no record of acceleration" if not len(rows) else "no sampling rate"
        return Unreadable(file.name, dict(+codes) or {"SIG_EMPTY": 1}, f"an ActiGraph file with {why}: download again")
    rows = _once(rows, data, codes)
    zone_s = _zone_s(info)
    counts = (rows[:, 3] / _BYTES_A_SAMPLE[kind]).astype(np.int64)
    start = np.concatenate([[0], np.cumsum(counts)])
    t_us = np.asarray((rows[:, 1] - (zone_s or 0)) * SECOND_US, np.float64)
    spans = measure(Anchors(rows[:, 1], start, start[:-1], t_us, fs_hz), codes)
    samples = (unpack_12_bit if kind == _ACTIVITY else unpack_16_bit)(data, rows[:, 2].copy(), start)
    per_g = _per_g(info, table, log)
    reach = round(2**11 / per_g)
    known = {"sensor_range": reach, "resolution_bits": 12, "sat_low": -(2**11), "sat_high": 2**11 - 1, "quantum": 1}
    channels = {}
    for name, values in zip(EXPECTED, _upright(samples, info), strict=True):
        segments = spans.segments(values, codes if name == EXPECTED[0] else Counter())
        if segments:
            channels[name] = Channel(name, "g", 1 / per_g, 0.0, segments, {**known, "nominal_hz": fs_hz})
    if not channels:
        return Unreadable(
            file.name, dict(+codes), f"its records do not follow each other at {fs_hz:g} Hz: load it again"
        )
    return _recording(file, info, channels, codes, len(rows), zone_s, int(rows[0, 1]) * SECOND_US)


def _info(text: bytes | None) -> dict[str, str]:
    """`key: value` lines; a key's first value counts."""
    info: dict[str, str] = {}
    for line in (text or b"")[:_LONGEST_INFO].decode("utf-8-sig", "replace").splitlines():
        key, _, value = line.partition(":")
        if value.strip("\x00 "):
            info.setdefault(key.strip(), value.strip("\x00 "))
    return info


def _broken(table: Ints, size: int) -> int:
    """Places where bytes belong to no record."""
    begins, ends = table[:, 2] - HEAD, table[:, 2] + table[:, 3] + 1
    bounds = np.concatenate([begins, [size]]) - np.concatenate([[0], ends])
    return int(np.count_nonzero(bounds))


def _activity(table: Ints) -> tuple[int, Ints]:
    """The type of record that holds most samples, and its rows; a payload of one byte marks a USB plug."""
    held = {kind: table[(table[:, 0] == kind) & (table[:, 3] > 1)] for kind in _BYTES_A_SAMPLE}
    kind = max(held, key=lambda kind: len(held[kind]))
    return kind, held[kind]


def _rate_hz(info: Mapping[str, str], rows: Ints, kind: int) -> float:
    """As info.txt says, else what most records hold, one a second; 0 where that is no rate of these devices."""
    try:
        stated = float(info.get("Sample Rate", ""))
    except ValueError:
        sizes = (rows[:, 3] / _BYTES_A_SAMPLE[kind]).astype(np.int64)
        stated = float(np.median(sizes)) if len(sizes) else 0.0
    return stated if stated in _RATES_HZ else 0.0


def _once(rows: Ints, data: NDArray[np.uint8], codes: Counter[str]) -> Ints:
    """Without records of a second that was there before."""
    _, first, of = np.unique(rows[:, 1], return_index=True, return_inverse=True)
    for again in np.flatnonzero(first[of] != np.arange(len(rows))).tolist():
        one, other = (data[at : at + size] for at, size in rows[[first[of[again]], again], 2:].tolist())
        codes["T_DUP" if np.array_equal(one, other) else "T_CONFLICT"] += 1
    return np.ascontiguousarray(rows[np.sort(first)])


def _per_g(info: Mapping[str, str], table: Ints, log: bytes) -> float:
    """Raw steps a g: as the parameters say, else info.txt, else by the model."""
    for _, _, begin, size in table[table[:, 0] == _PARAMETERS].tolist():
        pairs = np.frombuffer(log, "<u4", size // 8 * 2, begin).reshape(-1, 2)
        told = pairs[pairs[:, 0] == _ACCEL_SCALE << 16, 1]
        if len(told) and 100 <= (scale := decoded(int(told[0]))) <= 10_000:
            return scale
    try:
        stated = float(info.get("Acceleration Scale", ""))
    except ValueError:
        stated = 0.0
    return stated if 100 <= stated <= 10_000 else _LSB_PER_G.get(info.get("Serial Number", "")[:3], _USUAL_LSB_PER_G)


def decoded(code: int) -> float:
    """A number of the parameters: 24 bits of fraction, in two's complement, and 8 bits of exponent.

    >>> decoded(0x09400000), decoded(0x03419581)
    (256.0, 4.098999977111816)
    """
    fraction = ((code & 0xFFFFFF) ^ 0x800000) - 0x800000
    exponent = (code >> 24 ^ 0x80) - 0x80
    return float(fraction / 2**23 * 2.0**exponent)


def _upright(samples: NDArray[np.int32], info: Mapping[str, str]) -> NDArray[np.int32]:
    """One firmware turned x and y by 90°: x is what it calls y, y is what it calls −x."""
    serial, firmware = _ROTATED
    if not info.get("Serial Number", "").startswith(serial) or info.get("Firmware") != firmware:
        return samples
    return np.stack([samples[1], -samples[0], samples[2]])


def _zone_s(info: Mapping[str, str]) -> int | None:
    """The offset from UTC that the device was set to; None where info.txt does not say it."""
    match = _ZONE.fullmatch(info.get("TimeZone", ""))
    if match is None:
        return None
    seconds = int(match[2]) * 3600 + int(match[3]) * 60
    return (-seconds if match[1] else seconds) if seconds <= 16 * 3600 else None


def _recording(
    file: RawFile,
    info: dict[str, str],
    channels: dict[str, Channel],
    codes: Counter[str],
    seconds: int,
    zone_s: int | None,
    first_us: int,
) -> Recording:
    ticks = info.get("Start Date", "")
    set_us = int(ticks) // 10 - _DOTNET_US if ticks.isascii() and ticks.isdigit() and len(ticks) < 20 else -1
    clock: Mapping[str, Any] = local_clock(set_us if 0 <= set_us <= first_us else first_us)
    place = {"wear_location": info["Limb"]} if "Limb" in info else {}
    return Recording(
        file=file.name,
        sha256=file.sha256,
        device=Device("ActiGraph", info.get("Device Type", "GT3X"), info.get("Serial Number"), info.get("Firmware")),
        subject_id=info.get("Subject Name"),
        session_id=None,
        zone=None,
        offset_s=zone_s,
        channels=channels,
        events={},
        expected=EXPECTED,
        codes={code: count for code, count in sorted(codes.items()) if count},
        metadata={
            "source": {"format": "actigraph-gt3x", "sha256": file.sha256, "reader_version": READER_VERSION},
            "clock": dict(clock) if zone_s is None else {},
            "blocks": seconds + codes["BLK_BAD"],
            "header": info,
            **place,
        },
    )
