"""A recording in memory: what every reader produces, whatever the device. Integers with scale and offset, so that a
round trip through the neutral format is exact by construction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.masks import count_present

MISSING = -(2**31)
"""A sample that was not recorded or is masked, in `values`."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Contiguous samples of one channel: sample i was taken at t0_us + i·1e6/fs_hz (UTC µs). values: (n,) int32."""

    t0_us: int
    fs_hz: float
    values: NDArray[np.int32]
    _present: int = field(default=-1, init=False, repr=False, compare=False)

    @property
    def end_us(self) -> int:
        """One sampling interval after the last sample (half-open)."""
        return self.t0_us + round(len(self.values) * 1e6 / self.fs_hz)

    @property
    def present(self) -> int:
        """How many samples are not missing; counted once."""
        if self._present < 0:
            object.__setattr__(self, "_present", int(count_present(self.values, MISSING)))
        return self._present


@dataclass(frozen=True, slots=True)
class Channel:
    """A regularly sampled channel; physical = values·scale + offset. Segments are in time order and do not overlap.

    `info` holds what the device states of the sensor: sensor_range, resolution_bits, has_dc, wavelength_nm, sat_low,
    sat_high (in raw integers), polarity (−1 where the reader turned the device's signal over), quantum (raw step).
    """

    name: str
    unit: str
    scale: float
    offset: float
    segments: tuple[Segment, ...]
    info: Mapping[str, Any] = field(default_factory=dict)

    def physical(self, segment: Segment) -> NDArray[np.float64]:
        """(n,) float64 in `unit`; NaN = missing."""
        values: NDArray[np.float64] = np.multiply(segment.values, self.scale, dtype=np.float64) + self.offset
        values[segment.values == MISSING] = np.nan
        return values


@dataclass(frozen=True, slots=True)
class Events:
    """An irregular channel (`ibi`, `event`): t_us: (n,) int64 UTC µs, ascending; values: (n,) int32."""

    name: str
    unit: str
    scale: float
    offset: float
    t_us: NDArray[np.int64]
    values: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Device:
    """vendor, model: "unknown" where the file states none."""

    vendor: str
    model: str
    serial: str | None = None
    firmware: str | None = None

    @property
    def name(self) -> str | None:
        """Vendor and model; None without a vendor, since a model alone may be a mere format (EDF).

        >>> Device("Axivity", "AX6").name, Device("Acme", "unknown").name, Device("unknown", "EDF+C").name
        ('Axivity AX6', 'Acme', None)
        """
        vendor, model = stated(self.vendor), stated(self.model)
        return vendor and " ".join(filter(None, (vendor, model)))


def stated(text: str | None) -> str | None:
    """What a device states of itself, its words apart by single spaces; None for nothing, and for "unknown"."""
    told = " ".join((text or "").split())
    return None if told.casefold() in ("", "unknown") else told


@dataclass(frozen=True, slots=True)
class Upload:
    """One of the files that a recording came as: what its reader met in it. `twin`: the byte-identical file that stands
    for it."""

    file: str
    codes: Mapping[str, int]
    twin: str | None = None


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording session of one device.

    `file` names the input it came from (the folder where that is one input). `codes` counts what the reader met, by
    reason code. `expected` are the channels that this device model has, present or not. `metadata` keeps what the file
    said besides, unknown keys included. `uploads` are its files where a device sends many a night; `file` is the first.
    """

    file: str
    sha256: str
    device: Device
    subject_id: str | None
    session_id: str | None
    zone: str | None
    offset_s: int | None
    channels: Mapping[str, Channel]
    events: Mapping[str, Events]
    expected: tuple[str, ...]
    codes: Mapping[str, int]
    metadata: Mapping[str, Any] = field(default_factory=dict)
    uploads: tuple[Upload, ...] = ()

    @property
    def start_us(self) -> int:
        """First sample of any regular channel."""
        return min(s.t0_us for c in self.channels.values() for s in c.segments)

    @property
    def end_us(self) -> int:
        return max(s.end_us for c in self.channels.values() for s in c.segments)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An input that gave no recording: why, in codes and in one sentence that says what to do."""

    file: str
    codes: Mapping[str, int]
    message: str
