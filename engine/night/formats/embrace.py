"""Empatica EmbracePlus, one Avro file of about a quarter of an hour (DOMAIN A2). `uploads` makes a night of many."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.module import RawFile
from engine.night.clock import BAD_RATE, DRIFT, LATEST_US, SECOND_US
from engine.night.formats import avro
from engine.night.formats.avro_values import Damaged
from engine.night.formats.zips import Refused
from engine.night.recording import Device, Unreadable
from kernels.avro import quantise

READER_VERSION = 1
EXPECTED = ("acc_x", "acc_y", "acc_z", "bvp", "eda", "skin_temp")
_FINE, _COARSE = 2.0**-20, 2.0**-16
_SAME_START_US, _LEAST_S = 60 * SECOND_US, 60.0
_SLOWEST_HZ, _FASTEST_HZ, _STEEPEST = 1e-3, 1e4, 1e6
_MOST_OFFSET_S = 16 * 3600
_Ints = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Signal:
    """How a field of `rawData` becomes channels. step: of one raw integer; 0 = the file says it (`imuParams`).

    Floats are held as multiples of a power of two: 2⁻²⁰ µS, and 2⁻¹⁶ of BVP (up to ±32,768) and °C, so that what the
    device itself rounds to (1/128 °C) stays exact.
    """

    channels: tuple[str, ...]
    unit: str
    step: float
    nominal_hz: float
    info: Mapping[str, Any]


SIGNALS: Mapping[str, Signal] = {
    "accelerometer": Signal(("acc_x", "acc_y", "acc_z"), "g", 0.0, 64.0, {"quantum": 1}),
    "gyroscope": Signal(("gyr_x", "gyr_y", "gyr_z"), "deg/s", 0.0, 64.0, {"quantum": 1}),
    "eda": Signal(("eda",), "uS", _FINE, 4.0, {"quantum": 1}),
    "temperature": Signal(("skin_temp",), "Cel", _COARSE, 1.0, {"quantum": 512}),
    "bvp": Signal(("bvp",), "1", _COARSE, 64.0, {"has_dc": False, "quantum": 1}),
    "steps": Signal(("steps",), "1", 1.0, 0.2, {"quantum": 1, "derived": True}),
}


@dataclass(frozen=True, slots=True)
class Stream:
    """One field's samples: (channel → (n,) int32, physical = values·scale + offset), the first at t0_us (UTC µs)."""

    t0_us: int
    fs_hz: float
    scale: float
    offset: float
    values: Mapping[str, _Ints]
    info: Mapping[str, Any]

    def __len__(self) -> int:
        return len(next(iter(self.values.values())))


@dataclass(frozen=True, slots=True)
class Part:
    """What one file (one record of it) holds. beats_us, tags_us: (n,) int64 UTC µs, ascending."""

    file: str
    sha256: str
    device: Device
    subject_id: str | None
    offset_s: int | None
    schema: str
    streams: Mapping[str, Stream]
    beats_us: NDArray[np.int64]
    tags_us: NDArray[np.int64]
    codes: Mapping[str, int]

    @property
    def start_us(self) -> int:
        return min(stream.t0_us for stream in self.streams.values())


def read(file: RawFile, max_unpacked_mb: int) -> list[Part] | Unreadable:
    """The parts of a recording that the file holds, or why there is none."""
    try:
        records, hurt = avro.records(file.data, max_unpacked_mb)
    except Damaged as error:
        return Unreadable(file.name, {"BLK_BAD": 1}, f"an Avro file that cannot be read, {error}: send it again")
    except Refused as refusal:
        return Unreadable(file.name, {"ZIP_UNSAFE": 1}, f"not unpacked: {refusal}")
    if records and not any(_mapping(record, "rawData") for record in records) and not hurt:
        return Unreadable(file.name, {"FORMAT_UNKNOWN": 1}, "an Avro file without rawData: give an EmbracePlus's")
    parts = [_part(file, record, hurt) for record in records]
    kept = [part for part in parts if part.streams]
    codes = sum((Counter(part.codes) for part in parts), Counter({"BLK_BAD": hurt} if hurt and not parts else {}))
    return kept or Unreadable(file.name, dict(codes) or {"SIG_EMPTY": 1}, "no signal in the file: send it again")


def _part(file: RawFile, record: Mapping[str, Any], hurt: int) -> Part:
    raw = _mapping(record, "rawData")
    codes = Counter({"BLK_BAD": hurt} if hurt else {})
    streams = {name: one for name in SIGNALS if (one := _stream(name, raw, codes)) is not None}
    offset_s = record.get("timezone")
    known = isinstance(offset_s, int) and abs(offset_s) <= _MOST_OFFSET_S
    enrolled = _mapping(record, "enrollment")
    return Part(
        file=file.name,
        sha256=file.sha256,
        device=Device(
            "Empatica", "EmbracePlus", _text(record.get("deviceSn")), _version(_mapping(record, "fwVersion"))
        ),
        subject_id=_text(enrolled.get("participantID")),
        offset_s=int(offset_s or 0) if known else None,
        schema=_version(_mapping(record, "schemaVersion")) or "",
        streams=_coherent(streams, codes, hurt > 0),
        beats_us=_moments(_mapping(raw, "systolicPeaks").get("peaksTimeNanos"), 1000),
        tags_us=_moments(_mapping(raw, "tags").get("tagsTimeMicros"), 1),
        codes=dict(codes),
    )


def _stream(name: str, raw: Mapping[str, Any], codes: Counter[str]) -> Stream | None:
    """One signal; None where it is absent (rate 0, no values) or makes no sense, counted where the device has it."""
    signal, made = SIGNALS[name], _mapping(raw, name)
    keys = ("x", "y", "z") if len(signal.channels) == 3 else ("values",)
    arrays = [_numbers(made.get(key)) for key in keys]
    size = min(len(values) for values in arrays)
    t0_us, fs_hz = made.get("timestampStart"), made.get("samplingFrequency")
    step, offset, info = _conversion(made) if signal.step == 0 else (signal.step, 0.0, {})
    whole_time = isinstance(t0_us, int) and 0 <= t0_us < LATEST_US
    sound_rate = isinstance(fs_hz, int | float) and _SLOWEST_HZ <= fs_hz <= _FASTEST_HZ
    faults = {
        "SIG_MISSING": not made,
        "SIG_EMPTY": size == 0 or not fs_hz,
        "CLK_IMPLAUS": not whole_time,
        "FS_BAD": not sound_rate,
        "ACC_UNIT": not step,
    }
    fault = next((code for code, found in faults.items() if found), None)
    if fault is not None:
        codes[fault] += signal.channels[0] in EXPECTED
        return None
    values = {}
    for channel, array in zip(signal.channels, arrays, strict=True):
        values[channel] = _integers(array[:size], signal.step, codes)
    return Stream(int(t0_us or 0), float(fs_hz or 0.0), step, offset, values, {**signal.info, **info})


def _numbers(values: Any) -> NDArray[Any]:
    """An array of numbers; null items become NaN."""
    if isinstance(values, list) and all(one is None or isinstance(one, int | float) for one in values):
        return np.array([math.nan if one is None else one for one in values], np.float64)
    return values if isinstance(values, np.ndarray) else np.empty(0, np.int32)


def _integers(values: NDArray[Any], step: float, codes: Counter[str]) -> _Ints:
    """Raw integers as they are, others as multiples of the step; MISSING where there is none, counted as NANV."""
    if values.dtype == np.int32 and step in (0.0, 1.0):
        return values
    floats = values if values.dtype.kind == "f" else values.astype(np.float64)
    whole, lost = quantise(_readonly(floats), 1.0 / (step or 1.0))
    codes["NANV"] += lost
    made: _Ints = whole
    return made


def _readonly(values: NDArray[Any]) -> NDArray[Any]:
    view = values.view()
    view.flags.writeable = False
    return view


def _conversion(made: Mapping[str, Any]) -> tuple[float, float, dict[str, Any]]:
    """Scale, offset and what is known of the sensor, from `imuParams`: digital and physical range, or one factor. The
    scale is 0 where they make no sense."""
    params = _mapping(made, "imuParams")
    factor = params.get("conversionFactor")
    if isinstance(factor, int | float) and 1 / _STEEPEST <= abs(factor) <= _STEEPEST:
        return float(factor), 0.0, {}
    ends = [params.get(key) for key in ("physicalMin", "physicalMax", "digitalMin", "digitalMax")]
    if not all(isinstance(end, int | float) and abs(end) <= _STEEPEST for end in ends):
        return 0.0, 0.0, {}
    p_min, p_max, d_min, d_max = (float(end or 0.0) for end in ends)
    if not (p_max > p_min and d_max > d_min):
        return 0.0, 0.0, {}
    scale = (p_max - p_min) / (d_max - d_min)
    rail = {"sat_low": round(d_min), "sat_high": min(round(d_max), 2**15 - 1)}
    return scale, p_min - d_min * scale, {"sensor_range": p_max, "resolution_bits": 16, **rail}


def _coherent(streams: Mapping[str, Stream], codes: Counter[str], cut: bool) -> dict[str, Stream]:
    """All sensors start together and run equally long: a start that lies apart from the others is false, and so is a
    rate that is neither the model's nor gives the others' length. Between 2 and 10 % off, the length tells the rate."""
    starts = sorted(stream.t0_us for stream in streams.values())
    lengths = sorted(len(stream) / stream.fs_hz for stream in streams.values())
    if len(streams) < 3:
        return dict(streams)
    start_us, length_s = starts[(len(starts) - 1) // 2], lengths[(len(lengths) - 1) // 2]
    kept = {}
    for name, stream in streams.items():
        counted = SIGNALS[name].channels[0] in EXPECTED
        measured_hz = len(stream) / length_s
        plausible = min(abs(stream.fs_hz / hz - 1) for hz in (SIGNALS[name].nominal_hz, measured_hz)) <= DRIFT
        if abs(stream.t0_us - start_us) > _SAME_START_US:
            codes["CLK_IMPLAUS"] += counted
        elif plausible or cut or length_s < _LEAST_S:
            kept[name] = stream
        elif abs(stream.fs_hz / measured_hz - 1) <= BAD_RATE:
            codes["FS_DRIFT"] += counted
            kept[name] = replace(stream, fs_hz=measured_hz)
        else:
            codes["FS_BAD"] += counted
    return kept


def _moments(values: Any, per_us: int) -> NDArray[np.int64]:
    """(n,) int64 UTC µs, ascending, each once."""
    if not isinstance(values, np.ndarray) or values.dtype.kind != "i":
        return np.empty(0, np.int64)
    t_us = values.astype(np.int64) // per_us
    return np.unique(t_us[(t_us >= 0) & (t_us < LATEST_US)])


def _mapping(made: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = made.get(key)
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _version(made: Mapping[str, Any]) -> str | None:
    """`major.minor.patch`."""
    numbers: Iterator[Any] = (made.get(key) for key in ("major", "minor", "patch"))
    text = ".".join(str(number) for number in numbers if isinstance(number, int))
    return text or None
