"""EDF and EDF+ recordings, continuous (C) or not (D), as sleep laboratories exchange them (DOMAIN A4)."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.module import RawFile
from engine.night.clock import SECOND_US, Blocks, arrange, whole_us
from engine.night.formats.device_clock import local_clock
from engine.night.recording import Channel, Device, Recording, Unreadable

READER_VERSION = 1
_VERSION = b"0       "
_MOST_SIGNALS, _MOST_ANNOTATIONS = 512, 10_000
_SLOWEST_HZ, _FASTEST_HZ, _STEEPEST = 1e-3, 1e5, 1e12
_ANNOTATIONS = "EDF Annotations"
_WIDTHS = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)
_STAMP = re.compile(rb"([+-]\d{1,12}(?:\.\d{1,9})?)(?:\x15(\d{1,12}(?:\.\d{1,9})?))?\x14")
_KNOWN = (
    (re.compile(r"(?:.*\b)?acc(?:el\w*)?[ _.-]*([xyz])\b.*", re.IGNORECASE), "acc_{}"),
    (re.compile(r"(?:.*\b)?gyr(?:o\w*)?[ _.-]*([xyz])\b.*", re.IGNORECASE), "gyr_{}"),
    (re.compile(r"()(?:.*\b)?(?:pleth|ppg|bvp).*", re.IGNORECASE), "bvp"),
    (re.compile(r"()(?:skin[ _-]*temp.*|temp\w*[ _-]*skin.*|temp)", re.IGNORECASE), "skin_temp"),
)
_UNITS = {"g": ("g", 1.0), "mg": ("g", 1e-3), "degC": ("Cel", 1.0), "C": ("Cel", 1.0), "°C": ("Cel", 1.0)}
_EPOCH = datetime(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class _Signal:
    """A column of the records: samples low … high − 1 of each. scale: 0 where the stated ranges make no sense."""

    label: str
    unit: str
    scale: float
    offset: float
    digital: tuple[int, int]
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class _Header:
    patient: str
    recorded: str
    start_us: int
    kind: str
    records: int
    record_s: float
    signals: tuple[_Signal, ...]

    @property
    def size(self) -> int:
        """Samples in a record."""
        return self.signals[-1].high


def looks_like_edf(data: bytes) -> bool:
    return data.startswith(_VERSION) and data[184:192].strip().isdigit()


def read(file: RawFile) -> Recording | Unreadable:
    """A recording, or why there is none. Times are local until `device_clock.placed` moves them.

    Signals keep their digital values; those that are no movement, pulse or skin temperature keep their label. Records
    that the header promises and the file lacks count as BLK_BAD; `metadata["blocks"]` is how many there should be.
    """
    name, data = file.name, file.data
    header = _header(data)
    if header is None:
        return Unreadable(name, {"BLK_BAD": 1}, "an EDF file whose header does not hold: export it again")
    first = 256 * (len(header.signals) + 1)
    count = max(len(data) - first, 0) // (2 * header.size)
    codes: Counter[str] = Counter()
    promised = max(header.records, count)
    codes["BLK_BAD"] += promised - count + (header.records < 0 and (len(data) - first) % (2 * header.size) > 0)
    records = np.frombuffer(data, "<i2", count * header.size, first if count else 0).reshape(count, header.size)
    tals = [_stamps(record) for record in _annotations(header, records)]
    starts_us = _starts_us(header, count, tals)
    channels: dict[str, Channel] = {}
    for signal in header.signals if count else ():
        if signal.label == _ANNOTATIONS:
            continue
        fs_hz = (signal.high - signal.low) / (header.record_s or math.inf)
        if not (signal.scale and _SLOWEST_HZ <= fs_hz <= _FASTEST_HZ):
            codes["SIG_EMPTY" if signal.scale else "SIG_MISSING"] += 1
            continue
        channel = _channel(signal, channels, records[:, signal.low : signal.high], starts_us, header.record_s, codes)
        if channel.segments:
            channels[channel.name] = channel
    if not channels:
        return Unreadable(name, dict(+codes) or {"SIG_EMPTY": 1}, "an EDF file without a sample: export it again")
    return _recording(file, header, channels, codes, promised, tals)


def _header(data: bytes) -> _Header | None:
    """None where a number is none, or sizes do not fit together."""
    try:
        text = data[:256].decode("latin-1")
        count = int(text[252:256])
        if not 0 < count <= _MOST_SIGNALS or int(text[184:192]) != 256 * (count + 1):
            return None
        record_s = float(text[244:252])
        signals = tuple(_signals(data[256 : 256 * (count + 1)].decode("latin-1"), count))
        start_us = _start_us(text[168:176], text[176:184], text[88:168])
        records = int(text[236:244])
    except (ValueError, OverflowError):
        return None
    if not signals or signals[-1].high < 1 or not math.isfinite(record_s) or record_s < 0:
        return None
    return _Header(text[8:88].strip(), text[88:168].strip(), start_us, text[192:197], records, record_s, signals)


def _signals(text: str, count: int) -> Iterator[_Signal]:
    """ValueError where a number is none."""
    columns, at = [], 0
    for width in _WIDTHS:
        columns.append([text[at + i * width : at + (i + 1) * width].strip() for i in range(count)])
        at += width * count
    low = 0
    for label, _, unit, p_min, p_max, d_min, d_max, _, size, _ in zip(*columns, strict=True):
        digital, physical = (int(d_min), int(d_max)), (float(p_min), float(p_max))
        if int(size) < 0:
            raise ValueError(label)
        scale = (physical[1] - physical[0]) / ((digital[1] - digital[0]) or math.inf)
        offset = physical[0] - digital[0] * scale
        sane = 1 / _STEEPEST <= abs(scale) <= _STEEPEST and abs(offset) <= _STEEPEST
        yield _Signal(label, unit, scale if sane else 0.0, offset, digital, low, low + int(size))
        low += int(size)


def _start_us(day: str, time: str, recorded: str) -> int:
    """Local µs since 1970. EDF+ says the century in `Startdate dd-MMM-yyyy`; else years from 85 on are of the last."""
    dd, mm, yy = (int(part) for part in day.split("."))
    hours, minutes, seconds = (int(part) for part in time.split("."))
    full = re.match(r"Startdate \d\d-\w{3}-(\d{4})\b", recorded)
    year = int(full[1]) if full else yy + (1900 if yy >= 85 else 2000)
    return (datetime(year, mm, dd, hours, minutes, seconds) - _EPOCH) // datetime.resolution


def _annotations(header: _Header, records: NDArray[Any]) -> Sequence[bytes]:
    """The first annotation signal's bytes of each record; none in plain EDF."""
    own = [signal for signal in header.signals if signal.label == _ANNOTATIONS and header.kind[:4] == "EDF+"]
    return [row.tobytes() for row in records[:, own[0].low : own[0].high]] if own else []


def _stamps(record: bytes) -> list[tuple[float, str]]:
    """Onsets in seconds and texts of a record's lists; the first, without text, is the record's own."""
    found = []
    for part in record.split(b"\x00"):
        match = _STAMP.match(part)
        if match:
            texts = part[match.end() :].split(b"\x14")
            found.append((float(match[1]), " ".join(text.decode("utf-8", "replace") for text in texts if text)))
    return found


def _starts_us(header: _Header, count: int, tals: Sequence[list[tuple[float, str]]]) -> NDArray[np.float64]:
    """(count,) µs of each record: as its list says in EDF+D, else one after the other from the first one's on."""
    regular = np.arange(count) * header.record_s
    first = tals[0][0][0] if tals and tals[0] and abs(tals[0][0][0]) < 1 else 0.0
    onsets = regular + first
    if header.kind == "EDF+D":
        said = np.array([tal[0][0] if tal else np.nan for tal in tals])
        onsets = said if len(said) == count else onsets
    return np.asarray(header.start_us + onsets * SECOND_US, np.float64)


def _channel(
    signal: _Signal,
    others: dict[str, Channel],
    samples: NDArray[Any],
    starts_us: NDArray[np.float64],
    record_s: float,
    codes: Counter[str],
) -> Channel:
    """The signal as a channel, cut where a record does not begin within half a sample of its predecessor's end."""
    name = _name(signal.label, others)
    unit, factor = _UNITS.get(signal.unit, (signal.unit or "1", 1.0))
    size = samples.shape[1]
    info = {"label": signal.label, "sat_low": min(signal.digital), "sat_high": max(signal.digital), "quantum": 1}
    info |= {"has_dc": False} if name == "bvp" else {}
    fs_hz = size / record_s
    placed = np.flatnonzero(np.isfinite(starts_us))
    steps = np.diff(starts_us[placed]) - record_s * SECOND_US
    apart = (np.abs(steps) > 0.5 * SECOND_US / fs_hz) | (np.diff(placed) != 1)
    edges = np.concatenate([[True], apart, [True]])[: len(placed) + 1]
    first, last = placed[edges[:-1]], placed[edges[1:]]
    begin, end, every = first * size, (last + 1) * size, np.ones(len(first), np.bool_)
    values = samples.astype(np.int32).reshape(-1)
    blocks = Blocks(whole_us(starts_us[first]), np.full(len(first), fs_hz), begin, end, every, values)
    ordered = arrange(blocks, Counter() if others else codes)
    return Channel(name, unit, signal.scale * factor, signal.offset * factor, ordered, info)


def _name(label: str, others: dict[str, Channel]) -> str:
    """What the channel is called here: a known quantity once, else the label in small letters."""
    for pattern, known in _KNOWN:
        match = pattern.fullmatch(label)
        if match and known.format(match[1].lower()) not in others:
            return known.format(match[1].lower())
    plain = re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_") or "signal"
    plain = f"edf_{plain}"
    return plain if plain not in others else f"{plain}_{len(others)}"


def _recording(
    file: RawFile,
    header: _Header,
    channels: dict[str, Channel],
    codes: Counter[str],
    records: int,
    tals: Sequence[list[tuple[float, str]]],
) -> Recording:
    code = header.patient.split(" ")[0]
    notes = [[onset, text] for tal in tals for onset, text in tal if text][:_MOST_ANNOTATIONS]
    return Recording(
        file=file.name,
        sha256=file.sha256,
        device=Device("unknown", header.kind.strip() or "EDF"),
        subject_id=None if code in ("", "X") else code,
        session_id=None,
        zone=None,
        offset_s=None,
        channels=channels,
        events={},
        expected=tuple(channels),
        codes={code: count for code, count in sorted(codes.items()) if count},
        metadata={
            "source": {"format": "edf", "sha256": file.sha256, "reader_version": READER_VERSION},
            "clock": local_clock(header.start_us),
            "blocks": records,
            "patient": header.patient,
            "recording": header.recorded,
            "annotations": notes,
        },
    )
