"""Small Axivity recordings as bytes, for the reader's tests: a wrist that turns over now and then."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

START = datetime(2024, 1, 15, 21, 0, 0, tzinfo=UTC)
START_S = int(START.timestamp())
PACKED, INT16, AX6 = 0x30, 0x32, 0x62
CODE_100 = 0x4A
SAMPLES = {PACKED: 120, INT16: 80, AX6: 40}


def stamp(second: int) -> int:
    when = datetime.fromtimestamp(second, UTC)
    parts = (
        (when.year - 2000, 26),
        (when.month, 22),
        (when.day, 17),
        (when.hour, 12),
        (when.minute, 6),
        (when.second, 0),
    )
    return sum(part << shift for part, shift in parts)


def header(
    *, hardware: int = 0x17, device: int = 12345, set_s: int = START_S - 3600, notes: bytes = b"_p=left+wrist&_sc=S07"
) -> bytes:
    head = bytearray(b"MD\xfc\x03".ljust(1024, b"\xff"))
    struct.pack_into("<BHIH", head, 4, hardware, device & 0xFFFF, 77, device >> 16)
    struct.pack_into("<BIB", head, 36, CODE_100, stamp(set_s), 44)
    head[64:512] = notes.ljust(448)
    return bytes(head)


def sealed(block: bytes | bytearray) -> bytes:
    """The block with its check sum."""
    words = struct.unpack("<255H", block[:510])
    return bytes(block[:510]) + struct.pack("<H", -sum(words) % 65536)


def block(
    seq: int,
    t_s: float,
    data: bytes,
    *,
    axes: int = PACKED,
    code: int = CODE_100,
    count: int | None = None,
    anchor: int = 0,
) -> bytes:
    """A block whose sample number `anchor` was taken at t_s, on the device's clock."""
    rate = 3200 // 2 ** (15 - (code & 15))
    second = int(t_s // 1)
    fraction = 0x8000 | int((t_s - second) * 65536) >> 1
    offset = anchor - (((fraction & 0x7FFF) << 1) * rate >> 16)
    size = SAMPLES[axes] if count is None else count
    told = (fraction, 77, seq, stamp(second), _light(axes), 283, 0, 150, code, axes, offset, size)
    out = bytearray(512)
    struct.pack_into("<4sHIIIHHBBBBhH", out, 0, b"AX\xfc\x01", *told)
    out[30 : 30 + len(data)] = data
    return sealed(out)


def _light(axes: int) -> int:
    return 500 if axes == PACKED else 3 << 13 | 2 << 10 | 500


def vectors(n: int, seed: int = 0) -> NDArray[np.int64]:
    """(n, 3) in 1/256 g."""
    rng = np.random.default_rng(seed)
    poses = np.array([[0, 0, 256], [0, 256, 0], [181, 0, -181], [-256, 0, 0]])
    pose = poses[(np.arange(n) // 6000) % len(poses)]
    return np.asarray(pose + rng.integers(-3, 4, (n, 3)))


def packed(values: NDArray[np.int64]) -> bytes:
    """Samples of three axes in 1/256 g, each below 2 g."""
    x, y, z = (values & 1023).T
    return np.asarray(x | y << 10 | z << 20, "<u4").tobytes()


def blocks(
    n: int, *, axes: int = PACKED, true_hz: float = 98.4, seed: int = 0, start_s: float = START_S
) -> list[bytes]:
    """n blocks of a recording at true_hz that declares 100 Hz."""
    size = SAMPLES[axes]
    values = vectors(n * size, seed)
    if axes == AX6:
        values = np.hstack([values * 5, values * 8])
    elif axes == INT16:
        values = values * 8
    out = []
    for i in range(n):
        own = values[i * size : (i + 1) * size]
        data = packed(own) if axes == PACKED else own.astype("<i2").tobytes()
        anchor = (37 * i) % size
        out.append(block(i, start_s + (i * size + anchor) / true_hz, data, axes=axes, anchor=anchor))
    return out


def cwa(parts: Iterable[bytes], **head: int) -> bytes:
    return header(**head) + b"".join(parts)  # type: ignore[arg-type]
