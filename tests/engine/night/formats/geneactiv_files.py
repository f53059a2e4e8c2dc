"""Small GENEActiv recordings as bytes, for the reader's tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

START = datetime(2024, 1, 15, 21, 0, 0, 500_000, tzinfo=UTC)
"""By the device's clock, which is one hour ahead of UTC."""
GAINS = {"x": (25522, 272), "y": (25457, -1129), "z": (24829, 101)}
HEADER = """Device Identity
Device Unique Serial Code:051386
Device Type:GENEActiv
Device Firmware Version:Ver4.08a date14Jul14

Configuration Info
Measurement Frequency:50 Hz
Time Zone:GMT +01:00

Trial Info
Config Time:2024-01-10 09:00:00:000
Extract Notes:(device clock drift -1.459s)

Subject Info
Device Location Code:left wrist
Subject Code:S07

Calibration Data
x gain:25522
x offset:272
y gain:25457
y offset:-1129
z gain:24829
z offset:101
Volts:42
Lux:886

Memory Status
Number of Pages:{pages}

"""


def samples(pages: int, seed: int = 0) -> NDArray[np.int64]:
    """(300·pages, 5): x, y, z, light, button; pressed once a page."""
    rng = np.random.default_rng(seed)
    n = 300 * pages
    pose = np.array([[0, 0, 250], [0, 250, 0], [180, 0, -180]])[np.arange(n) // 3000 % 3]
    button = (np.arange(n) % 300 // 10 == 3).astype(np.int64)
    return np.column_stack([pose + rng.integers(-3, 4, (n, 3)), rng.integers(0, 1023, n), button])


def page(seq: int, values: NDArray[np.int64], *, hz: float = 50.0, start: datetime = START, tenths: int = 330) -> str:
    when = start + timedelta(milliseconds=round(seq * 300_000 / hz))
    told = f"{when:%Y-%m-%d %H:%M:%S}:{when.microsecond // 1000:03d}"
    x, y, z, light, button = values.T
    words = (x & 4095) << 36 | (y & 4095) << 24 | (z & 4095) << 12 | light << 2 | button << 1
    lines = [
        "Recorded Data",
        "Device Unique Serial Code:051386",
        f"Sequence Number:{seq}",
        f"Page Time:{told}",
        "Unassigned:",
        f"Temperature:{tenths / 10:.1f}",
        "Battery voltage:4.1642",
        "Device Status:Recording",
        f"Measurement Frequency:{hz:.1f}",
        "".join(f"{word:012X}" for word in words.tolist()),
    ]
    return "\n".join(lines) + "\n"


def pages(n: int, *, hz: float = 50.0, seed: int = 0) -> list[str]:
    values = samples(n, seed)
    return [page(i, values[300 * i : 300 * i + 300], hz=hz) for i in range(n)]


def geneactiv(parts: list[str], promised: int | None = None, header: str = HEADER) -> bytes:
    return (header.replace("{pages}", str(len(parts) if promised is None else promised)) + "".join(parts)).encode()
