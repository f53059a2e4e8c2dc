"""Recordings and epochs made by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from engine.module import Source
from engine.night.epochs import Epochs, blank
from engine.night.grid import EPOCH_US
from engine.night.nights import Session, split
from engine.night.recording import Channel, Device, Recording, Segment

EXPECTED = ("acc_x", "acc_y", "acc_z", "bvp", "eda", "skin_temp")
EVENING_US = 1_700_000_000_000_000 // EPOCH_US * EPOCH_US
"""2023-11-14 22:13:20 UTC."""


def us(text: str) -> int:
    """UTC µs of an ISO time."""
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


def channel(name: str, *segments: tuple[int, float, Sequence[int]], scale: float = 1.0, **info: Any) -> Channel:
    made = tuple(Segment(t0, fs, np.asarray(values, np.int32)) for t0, fs, values in segments)
    return Channel(name, "1", scale, 0.0, made, info)


def recording(channels: Sequence[Channel], **changes: Any) -> Recording:
    made = Recording(
        file="a.zip",
        sha256="0" * 64,
        device=Device("Empatica", "E4"),
        subject_id=None,
        session_id=None,
        zone=None,
        offset_s=None,
        channels={c.name: c for c in channels},
        events={},
        expected=EXPECTED,
        codes={},
    )
    return replace(made, **changes)


def still(start_us: int, hours: float, **changes: Any) -> Recording:
    """A device on a table: constant acceleration, 33 °C, no PPG."""
    n = round(hours * 3600)
    axes = [
        channel(name, (start_us, 1.0, [v] * n), scale=1 / 64) for name, v in zip(EXPECTED, (0, 0, 64), strict=False)
    ]
    return recording([*axes, channel("skin_temp", (start_us, 1.0, [3300] * n), scale=0.01)], **changes)


def source(zone: str | None = "UTC", **changes: Any) -> Source:
    return replace(Source("s", ("a.zip",), "p", zone=zone), **changes)


def session(start_us: int = EVENING_US, hours: float = 8.0, zone: str = "UTC", **changes: Any) -> Session:
    (made,) = split([still(start_us, hours, **changes)], source(zone))
    return made


GOOD: Mapping[str, Any] = {
    "hr_bpm": 60.0,
    "rmssd_ms": 40.0,
    "sdnn_ms": 50.0,
    "pulse_amp": 30.0,
    "rr_brpm": 15.0,
    "rr_n": 3,
    "lf_ms2": 400.0,
    "hf_ms2": 200.0,
    "hrv_ratio": 2.0,
    "perfusion_index_pct": 1.5,
    "temp_c": 34.0,
    "skin_temp_c": 34.0,
    "enmo_mg": 2.0,
    "mad_mg": 3.0,
    "angle_z_deg": 10.0,
    "cal_error_mg": 1.0,
    "wear": 1,
    "q_ppg": 0.9,
    "q_ibi": 0.9,
    "q_temp": 1.0,
    "q_acc": 1.0,
    "sat": 0.0,
    "acc": 1.0,
    "ppg": 1.0,
    "temp": 1.0,
    "other": 1.0,
    "session": 0,
    "recorded": True,
}
"""An epoch of somebody who lies still and is measured well."""


def night(hours: float = 8.0, start_us: int = EVENING_US, columns: Mapping[str, Any] | None = None) -> Epochs:
    """Epochs of somebody who lies still from the first to the last and is measured well; `columns` overrides."""
    n = round(hours * 360)
    step = 10.0 * (np.arange(2 * n) // 240 % 2)
    good: dict[str, Any] = {
        **GOOD,
        "ts_us": start_us + EPOCH_US * np.arange(n),
        "night": start_us // 86_400_000_000,
        "angle5_deg": (10.0 + step).reshape(n, 2),
        **(columns or {}),
    }
    empty = blank(n)
    made = {}
    for f in fields(Epochs):
        column = getattr(empty, f.name).copy()
        column[:] = good.get(f.name, column)
        made[f.name] = column
    return Epochs(**made)


def power_at(filtered: tuple[float, Any], fs_hz: float, hz: float) -> float:
    """Of a band-pass as `kernels.bandpass.design` gives it: the share of a wave's power that passes once."""
    gain, feedback = filtered
    z = np.exp(-2j * np.pi * hz / fs_hz)
    passed = gain * (1 - z * z) ** 2
    for a1, a2 in np.asarray(feedback).reshape(2, 2):
        passed = passed / (1 + a1 * z + a2 * z * z)
    return float(abs(passed) ** 2)
