"""GENEActiv recordings, `.bin`: text with pages of 300 samples (DOMAIN A5)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from engine.module import RawFile
from engine.night.clock import SECOND_US
from engine.night.formats.anchors import Anchors, Spans, measure
from engine.night.formats.device_clock import local_clock
from engine.night.recording import Channel, Device, Events, Recording, Unreadable
from kernels.geneactiv import SAMPLES, unpack_pages

READER_VERSION = 1
EXPECTED = ("acc_x", "acc_y", "acc_z", "skin_temp", "light", "batt")
_START = b"Device Identity"
_PAGE_START = b"Recorded Data"
_LONGEST_HEADER = 1 << 16
_NUMBER = rb"(-?\d{1,6}(?:\.\d{1,6})?)"
_TIME = rb"(\d{4}-\d\d?-\d\d? \d\d?:\d\d:\d\d:\d{3})"
_PAGE = re.compile(
    rb"Recorded Data\s*\n[^\n]*\nSequence Number:(\d{1,9})\s*\nPage Time:" + _TIME + rb"\s*\n[^\n]*\n"
    rb"Temperature:" + _NUMBER + rb"\s*\nBattery voltage:" + _NUMBER + rb"\s*\n[^\n]*\n"
    rb"Measurement Frequency:" + _NUMBER + rb"\s*\n"
)
_DIGITS = re.compile(r"[0-9]+")
_ZONE = re.compile(r"GMT\s*([+-])(\d\d?):(\d\d)")
_DRIFT = re.compile(r"clock drift (-?\d{1,6}(?:\.\d{1,6})?)\s*s")
_EPOCH = datetime(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class _Page:
    """t_us: of the first sample, on the device's clock. begin: where the digits begin."""

    seq: int
    t_us: int
    tenths_cel: int
    volts_e4: int
    fs_hz: float
    begin: int


def looks_like_geneactiv(data: bytes) -> bool:
    return data.startswith(_START) and b"GENEActiv" in data[:_LONGEST_HEADER]


def read(file: RawFile) -> Recording | Unreadable:
    """A recording, or why there is none. A page that is cut or not hexadecimal is dropped and leaves a gap; BLK_BAD
    counts it and what the header and the page numbers promise besides.

    With a `Time Zone` line times are UTC, else the device's local clock until `device_clock.placed` moves them.
    """
    name, data = file.name, file.data
    codes: Counter[str] = Counter()
    head = _header(data)
    pages = _once([page for match in _PAGE.finditer(data) if (page := _page(match))], codes)
    samples, whole = unpack_pages(np.frombuffer(data, np.uint8), np.array([page.begin for page in pages], np.int64))
    if not whole.all():
        samples = np.compress(np.repeat(whole, SAMPLES), samples, axis=1)
        pages = [page for page, own in zip(pages, whole.tolist(), strict=True) if own]
    promised = _whole(head, "Number of Pages")
    missing = _missing(pages, data.count(_PAGE_START) - codes["T_DUP"], promised)
    codes["BLK_BAD"] += missing
    gains = _calibration(head)
    if not pages or gains is None:
        why = "no whole page" if gains else "no calibration (x gain, x offset …)"
        return Unreadable(name, dict(+codes) or {"BLK_BAD": 1}, f"a GENEActiv file with {why}: extract it again")
    zone_s = _zone_s(head)
    anchors = _anchors(pages, zone_s or 0)
    spans = measure(anchors, codes)
    channels = _channels(samples, pages, spans, gains, anchors, codes)
    if not channels:
        return Unreadable(name, dict(+codes), f"its pages do not follow at {anchors.fs_hz:g} Hz: extract it again")
    events = {} if not spans.ordered() else _presses(samples[4], spans)
    return _recording(file, head, channels, events, codes, len(pages) + missing, zone_s, pages[0].t_us)


def _header(data: bytes) -> dict[str, str]:
    """`key:value` lines before the first page; a key's first value counts."""
    text = data[:_LONGEST_HEADER].partition(_PAGE_START)[0].decode("latin-1")
    head: dict[str, str] = {}
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if value.strip("\x00 "):
            head.setdefault(key.strip(), value.strip("\x00 "))
    return head


def _page(match: re.Match[bytes]) -> _Page | None:
    seq, when, cel, volts, fs_hz = match.groups()
    t_us = _moment_us(when.decode())
    if t_us is None or float(fs_hz) <= 0:
        return None
    return _Page(int(seq), t_us, round(float(cel) * 10), round(float(volts) * 1e4), float(fs_hz), match.end())


def _moment_us(text: str) -> int | None:
    """µs since 1970 of `YYYY-MM-DD hh:mm:ss:mmm` as it stands; None where there is no such moment.

    >>> _moment_us("2019-05-21 16:16:43:500")
    1558455403500000
    """
    try:
        year, month, day, hour, minute, second, ms = (int(part) for part in _DIGITS.findall(text))
        moment = datetime(year, month, day, hour, minute, second, ms * 1000)
    except ValueError:
        return None
    return (moment - _EPOCH) // datetime.resolution


def _once(pages: Sequence[_Page], codes: Counter[str]) -> list[_Page]:
    """Without pages at a rate that most have not, and those whose number and time came before."""
    usual = Counter(page.fs_hz for page in pages).most_common(1)
    seen: set[tuple[int, int]] = set()
    kept = []
    for page in pages:
        key = page.seq, page.t_us
        if key in seen:
            codes["T_DUP"] += 1
        elif page.fs_hz == usual[0][0]:
            seen.add(key)
            kept.append(page)
    return kept


def _missing(pages: Sequence[_Page], found: int, promised: int) -> int:
    seqs = [page.seq for page in pages]
    spanned = max(seqs) - min(seqs) + 1 if seqs else 0
    return max(found, promised, spanned) - len(pages)


def _calibration(head: Mapping[str, str]) -> dict[str, tuple[float, float]] | None:
    """Scale and offset of each axis, and of light where it is stated: g = (raw·100 − offset)/gain."""
    try:
        gains = {f"acc_{axis}": (int(head[f"{axis} gain"]), int(head[f"{axis} offset"])) for axis in "xyz"}
    except (KeyError, ValueError):
        return None
    if not all(0 < gain < 10**9 and abs(offset) < 10**9 for gain, offset in gains.values()):
        return None
    scales = {name: (100 / gain, -offset / gain) for name, (gain, offset) in gains.items()}
    lux, volts = _whole(head, "Lux"), _whole(head, "Volts")
    return scales | ({"light": (lux / volts, 0.0)} if lux and volts else {})


def _anchors(pages: Sequence[_Page], zone_s: int) -> Anchors:
    start = SAMPLES * np.arange(len(pages) + 1, dtype=np.int64)
    t_us = np.array([page.t_us for page in pages], np.float64) - zone_s * SECOND_US
    return Anchors(np.array([page.seq for page in pages], np.int64), start, start[:-1], t_us, pages[0].fs_hz)


def _channels(
    samples: NDArray[np.int32],
    pages: Sequence[_Page],
    spans: Spans,
    scales: Mapping[str, tuple[float, float]],
    anchors: Anchors,
    codes: Counter[str],
) -> dict[str, Channel]:
    slow = spans.by_block(anchors.start)
    tenths, volts = (
        np.array(column, np.int32) for column in zip(*((p.tenths_cel, p.volts_e4) for p in pages), strict=True)
    )
    rail = {"sat_low": -2048, "sat_high": 2047}
    acc = {"sensor_range": 8, "resolution_bits": 12, **rail, "quantum": 1, "nominal_hz": anchors.fs_hz}
    found = {}
    for name, values in zip(EXPECTED[:3], samples, strict=False):
        segments = spans.segments(values, codes if name == EXPECTED[0] else Counter())
        found[name] = Channel(name, "g", *scales[name], segments, acc)
    found["skin_temp"] = Channel("skin_temp", "Cel", 0.1, 0.0, slow.segments(tenths, Counter()), {"quantum": 1})
    if "light" in scales:
        found["light"] = Channel("light", "lx", *scales["light"], spans.segments(samples[3], Counter()), {"quantum": 1})
    found["batt"] = Channel("batt", "V", 1e-4, 0.0, slow.segments(volts, Counter()), {"quantum": 1})
    return {name: channel for name, channel in found.items() if channel.segments}


def _presses(button: NDArray[np.int32], spans: Spans) -> dict[str, Events]:
    """When the button went down."""
    down = np.flatnonzero(np.diff(button, prepend=0) > 0)
    t_us = np.unique(spans.times_us(down))
    return {"event": Events("event", "1", 1.0, 0.0, t_us, np.ones(len(t_us), np.int32))} if len(t_us) else {}


def _recording(
    file: RawFile,
    head: dict[str, str],
    channels: dict[str, Channel],
    events: dict[str, Events],
    codes: Counter[str],
    pages: int,
    zone_s: int | None,
    first_us: int,
) -> Recording:
    drift = _DRIFT.search(head.get("Extract Notes", ""))
    configured_us = _moment_us(head.get("Config Time", ""))
    clock = dict(local_clock(first_us if configured_us is None else configured_us)) if zone_s is None else {}
    place = {"wear_location": head["Device Location Code"]} if "Device Location Code" in head else {}
    return Recording(
        file=file.name,
        sha256=file.sha256,
        device=Device(
            "Activinsights", "GENEActiv", head.get("Device Unique Serial Code"), head.get("Device Firmware Version")
        ),
        subject_id=head.get("Subject Code"),
        session_id=None,
        zone=None,
        offset_s=zone_s,
        channels=channels,
        events=events,
        expected=EXPECTED,
        codes={code: count for code, count in sorted(codes.items()) if count},
        metadata={
            "source": {"format": "geneactiv-bin", "sha256": file.sha256, "reader_version": READER_VERSION},
            "clock": clock | ({"drift_s": float(drift[1])} if drift else {}),
            "blocks": pages,
            "header": head,
            **place,
        },
    )


def _zone_s(head: Mapping[str, str]) -> int | None:
    """The offset from UTC that the device was set to; None where the header does not say it."""
    match = _ZONE.search(head.get("Time Zone", ""))
    if match is None:
        return None
    sign, hours, minutes = match.groups()
    seconds = int(hours) * 3600 + int(minutes) * 60
    return (-seconds if sign == "-" else seconds) if seconds <= 16 * 3600 else None


def _whole(head: Mapping[str, str], key: str) -> int:
    """A count in the header; 0 where it is none."""
    text = head.get(key, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
