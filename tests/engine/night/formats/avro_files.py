"""EmbracePlus files as the vendor writes them (schema 6), by the usual library: names and units as in DOMAIN A2."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import fastavro
import numpy as np
from numpy.typing import NDArray

from engine.simulate.e4 import Session

START_US = 1_795_302_000 * 10**6
"""2026-11-21 23:00:00 UTC."""


def _record(name: str, *fields: tuple[str, Any]) -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": [{"name": key, "type": kind} for key, kind in fields]}


def _array(items: str) -> dict[str, str]:
    return {"type": "array", "items": items}


_TIMED = (("timestampStart", "long"), ("samplingFrequency", "float"))
_RANGE = _record("ImuParams", *((f"{kind}{end}", "int") for kind in ("physical", "digital") for end in ("Min", "Max")))
_IMU = _record("Imu", *_TIMED, ("imuParams", _RANGE), *((axis, _array("int")) for axis in "xyz"))
_FLOATS = _record("Floats", *_TIMED, ("values", _array("float")))
_RAW = _record(
    "RawData",
    ("accelerometer", _IMU),
    ("gyroscope", "Imu"),
    ("eda", _FLOATS),
    ("temperature", "Floats"),
    ("tags", _record("Tags", ("tagsTimeMicros", _array("long")))),
    ("bvp", "Floats"),
    ("systolicPeaks", _record("SystolicPeaks", ("peaksTimeNanos", _array("long")))),
    ("steps", _record("Steps", *_TIMED, ("values", _array("int")))),
)
_VERSION = _record("Version", *((part, "int") for part in ("major", "minor", "patch")))
_ENROLLED = _record("Enrollment", *((f"{what}ID", "string") for what in ("participant", "site", "study")))
SCHEMA = {
    **_record(
        "Session",
        ("schemaVersion", _VERSION),
        ("fwVersion", "Version"),
        ("timezone", "int"),
        ("enrollment", _ENROLLED),
        ("deviceSn", "string"),
        ("deviceModel", "string"),
        ("rawData", _RAW),
    ),
    "namespace": "empatica.format.avro",
}
RANGE = {"physicalMin": -16, "physicalMax": 16, "digitalMin": -32768, "digitalMax": 32767}
NO_RANGE = dict.fromkeys(RANGE, 0)


def packed(records: Sequence[Mapping[str, Any]], schema: Mapping[str, Any] = SCHEMA, codec: str = "null") -> bytes:
    sink = io.BytesIO()
    fastavro.writer(sink, fastavro.parse_schema(dict(schema)), records, codec=codec, sync_interval=1)
    return sink.getvalue()


def version(*numbers: int) -> dict[str, int]:
    return dict(zip(("major", "minor", "patch"), numbers, strict=True))


def timed(t0_us: int, fs_hz: float, **values: Any) -> dict[str, Any]:
    lists = {key: list(value) if isinstance(value, np.ndarray) else value for key, value in values.items()}
    return {"timestampStart": t0_us, "samplingFrequency": fs_hz, **lists}


def record(seconds: int = 60, t0_us: int = START_US, **raw: Any) -> dict[str, Any]:
    """Something of every signal; `raw` replaces signals."""
    n = np.arange(64 * seconds) + t0_us * 64 // 10**6
    axes = {axis: (1800 * np.sin(n / (300 + 50 * k)) + k).astype(int).tolist() for k, axis in enumerate("xyz")}
    made = {
        "accelerometer": timed(t0_us, 64.0, imuParams=RANGE, **axes),
        "gyroscope": timed(0, 0.0, imuParams=NO_RANGE, x=[], y=[], z=[]),
        "eda": timed(t0_us, 4.0, values=(0.3 + 0.01 * np.sin(n[::16] / 500)).astype(np.float32).tolist()),
        "temperature": timed(t0_us, 1.0, values=(33 + np.round(np.sin(n[::64] / 9000) * 128) / 128).tolist()),
        "tags": {"tagsTimeMicros": [t0_us + 7_000_000]},
        "bvp": timed(t0_us, 64.0, values=(40 * np.sin(2 * np.pi * n / 64)).astype(np.float32).tolist()),
        "systolicPeaks": {"peaksTimeNanos": [(t0_us + 250_000 + k * 10**6) * 1000 for k in range(seconds)]},
        "steps": timed(t0_us, 0.2, values=[0] * (seconds // 5)),
    }
    return {
        "schemaVersion": version(6, 3, 0),
        "fwVersion": version(3, 3, 3),
        "timezone": 3600,
        "enrollment": {"participantID": "P07", "siteID": "1", "studyID": "2"},
        "deviceSn": "3YK3J151VJ",
        "deviceModel": "EMBRACEPLUS",
        "rawData": {**made, **raw},
    }


def of_session(session: Session, begin_s: int, end_s: int, sign: int = 1, jitter_us: int = 0) -> dict[str, Any]:
    """Seconds begin_s … end_s − 1 of a generated night. The generated acceleration of 32 Hz is repeated to 64."""
    t0_us = (session.start_s + begin_s) * 10**6 + jitter_us

    def part(values: NDArray[Any], hz: int) -> NDArray[Any]:
        return values[begin_s * hz : end_s * hz]

    acc = np.repeat(np.rint(part(session.acc, 32) / 64 * 2048).astype(int), 2, axis=0)
    beats_us = np.rint(session.beats_s[session.trusted] * 1e6).astype(np.int64) + session.start_s * 10**6
    beats_us = beats_us[(beats_us >= t0_us) & (beats_us < t0_us + (end_s - begin_s) * 10**6)]
    made = {
        "accelerometer": timed(t0_us, 64.0, imuParams=RANGE, **dict(zip("xyz", acc.T.tolist(), strict=True))),
        "eda": timed(t0_us, 4.0, values=(part(session.eda, 4) / 1e6).astype(np.float32).tolist()),
        "temperature": timed(t0_us, 1.0, values=(np.rint(part(session.temp, 4)[::4] * 1.28) / 128).tolist()),
        "bvp": timed(t0_us, 64.0, values=(-sign * part(session.bvp, 64) / 100).astype(np.float32).tolist()),
        "systolicPeaks": {"peaksTimeNanos": (beats_us * 1000).tolist()},
        "tags": {"tagsTimeMicros": []},
    }
    return record(1, t0_us, **made, steps=timed(0, 0.0, values=[]))
