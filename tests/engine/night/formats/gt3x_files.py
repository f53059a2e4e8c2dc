"""ActiGraph files made by hand: records of `log.bin`, `info.txt`, and the zip of both."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from functools import reduce

import numpy as np

START_S = 1_421_190_000
"""2015-01-13 23:00:00 on the device's clock."""
INFO = {
    "Serial Number": "NEO1C16110020",
    "Device Type": "GT3XPlus",
    "Firmware": "3.2.1",
    "Battery Voltage": "4.20",
    "Sample Rate": "30",
    "Start Date": str((START_S + 62_135_596_800) * 10**7),
    "Subject Name": "P12",
}


def record(kind: int, seconds: int, payload: bytes) -> bytes:
    body = bytes([0x1E, kind]) + seconds.to_bytes(4, "little") + len(payload).to_bytes(2, "little") + payload
    return body + bytes([255 - reduce(lambda a, b: a ^ b, body)])


def vectors(n: int, first: int = 0) -> np.ndarray:
    """(n, 3): an arm that turns slowly and shakes a little, in raw steps of 1/341 g."""
    t = np.arange(first, first + n)
    g = np.stack([np.sin(t / 9000), np.zeros(n), np.cos(t / 9000)], axis=1)
    return np.rint(341 * g).astype(int) + np.stack([t % 3, t % 5, t % 2], axis=1) - 1


def packed_12(samples: np.ndarray) -> bytes:
    digits = "".join(f"{value & 0xFFF:03x}" for x, y, z in samples.tolist() for value in (y, x, z))
    return bytes.fromhex(digits + "0" * (len(digits) % 2))


def packed_16(samples: np.ndarray) -> bytes:
    return samples.astype("<i2").tobytes()


def log(seconds: int, kind: int = 0, start_s: int = START_S, rate: int = 30) -> list[bytes]:
    """A record a second."""
    pack = packed_12 if kind == 0 else packed_16
    samples = vectors(seconds * rate)
    return [record(kind, start_s + s, pack(samples[s * rate : (s + 1) * rate])) for s in range(seconds)]


def parameters(*pairs: tuple[int, int, int]) -> bytes:
    """A record of (address space, identifier, value)."""
    parts = (b"".join(n.to_bytes(size, "little") for n, size in zip(pair, (2, 2, 4), strict=True)) for pair in pairs)
    return record(21, START_S, b"".join(parts))


def gt3x(records: Sequence[bytes], stored: bool = False, **info: str | None) -> bytes:
    """`info` replaces lines (spaces for underscores); None takes one away."""
    lines = {**INFO, **{key.replace("_", " "): value for key, value in info.items()}}
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "info.txt", "".join(f"{key}: {value}\r\n" for key, value in lines.items() if value is not None)
        )
        archive.writestr("log.bin", b"".join(records))
    return sink.getvalue()
