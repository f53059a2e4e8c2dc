"""The Empatica E4's session: eight csv members, in a zip or a folder (DOMAIN A1)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.night.formats.csvs import MICRO, Table
from engine.night.recording import MISSING, Channel, Device, Events, Recording, Segment

READER_VERSION = 1
EXPECTED = ("acc_x", "acc_y", "acc_z", "bvp", "eda", "skin_temp")
"""The channels of the model. HR.csv is the vendor's own rate: kept as `hr_device`, a cross-check, never an input."""
PARTS = ("acc", "bvp", "eda", "temp", "hr", "ibi", "tags", "info")
_NAME = re.compile(rf"({'|'.join(PARTS)})(?:[ ._(-].*)?\.(?:csv|txt)", re.IGNORECASE)
_ACC = {"sensor_range": 2, "resolution_bits": 8, "sat_low": -128, "sat_high": 127, "quantum": 1, "nominal_hz": 32.0}
_LONGEST_S = 7 * 86_400
"""An E4 has battery and memory for two days. Above this many seconds of rows a file is no recording of one."""
_MOST_EVENTS = 5 * _LONGEST_S
_LATEST_US = 4_102_444_800_000_000
_LONGEST_US = 30 * 86_400 * 10**6
_LONGEST_IBI_US = 600 * 10**6
_SAME_SESSION_US = 3_600 * 10**6


@dataclass(frozen=True, slots=True)
class Signal:
    """How a member becomes channels: unit, digits after the point of one raw unit, sign, and what is known of them."""

    channels: tuple[str, ...]
    unit: str
    scale: float
    decimals: int
    sign: int
    info: Mapping[str, Any]


SIGNALS: Mapping[str, Signal] = {
    "acc": Signal(("acc_x", "acc_y", "acc_z"), "g", 1 / 64, 0, 1, _ACC),
    "bvp": Signal(("bvp",), "1", 0.01, 2, -1, {"polarity": -1, "has_dc": False, "quantum": 1, "nominal_hz": 64.0}),
    "eda": Signal(("eda",), "uS", 1e-6, 6, 1, {"quantum": 1, "nominal_hz": 4.0}),
    "temp": Signal(("skin_temp",), "Cel", 0.01, 2, 1, {"quantum": 2, "nominal_hz": 4.0}),
    "hr": Signal(("hr_device",), "/min", 0.01, 2, 1, {"quantum": 1, "nominal_hz": 1.0, "derived": True}),
}


@dataclass(frozen=True, slots=True)
class Member:
    """One csv of the session. `load` gives its bytes, or None where the archive's damage took them."""

    name: str
    load: Callable[[], bytes | None]


@dataclass(slots=True)
class _Session:
    """What has been read so far; `starts`: first sample's UTC µs a part, `signals`: what became of each part."""

    channels: dict[str, Channel] = field(default_factory=dict)
    events: dict[str, Events] = field(default_factory=dict)
    codes: Counter[str] = field(default_factory=Counter)
    signals: dict[str, str] = field(default_factory=dict)
    starts: dict[str, int] = field(default_factory=dict)

    def lose(self, part: str, code: str, why: str) -> None:
        self.codes[code] += 1
        self.signals[part] = why


def part_of(name: str) -> str | None:
    """Which of the E4's members a file name says: its stem, in any case, before a suffix of the exporter's.

    >>> part_of("night/BVP.csv"), part_of("tags_S01.csv"), part_of("bvp.parquet"), part_of("__MACOSX/._ACC.csv")
    ('bvp', 'tags', None, None)
    """
    match = _NAME.fullmatch(name.rsplit("/", 1)[-1])
    return match[1].lower() if match else None


def read_session(file: str, sha256: str, session_id: str | None, members: Iterable[Member]) -> Recording:
    """One session from its members, loaded one at a time. Its `channels` are empty where none could be read; then
    `metadata["signals"]` says why, part by part."""
    session = _Session()
    chosen: dict[str, Member] = {}
    for member in sorted(members, key=lambda member: (len(member.name), member.name)):
        part = part_of(member.name)
        if part is None or part == "info":
            continue
        if part in chosen:
            session.codes["T_DUP" if member.load() == chosen[part].load() else "T_CONFLICT"] += 1
            continue
        chosen[part] = member
    for part in (*SIGNALS, "ibi", "tags"):
        if part in chosen:
            _read_member(session, part, chosen[part].load())
        elif part != "tags":
            session.lose(part, "SIG_MISSING", "missing")
    _drop_misplaced(session)
    return _recording(session, file, sha256, session_id)


def _recording(session: _Session, file: str, sha256: str, session_id: str | None) -> Recording:
    source = {"format": "empatica-e4", "sha256": sha256, "reader_version": READER_VERSION}
    return Recording(
        file=file,
        sha256=sha256,
        device=Device("Empatica", "E4", _serial(file)),
        subject_id=None,
        session_id=session_id,
        zone=None,
        offset_s=None,
        channels=session.channels,
        events=session.events,
        expected=EXPECTED,
        codes={code: count for code, count in sorted(session.codes.items()) if count},
        metadata={"source": source, "signals": session.signals},
    )


def _serial(file: str) -> str | None:
    """The serial number in a vendor's zip name, `1560279825_A00204.zip`."""
    match = re.search(r"\d{9,10}_(A[0-9A-Z]{5})(?:\.zip)?$", file, re.IGNORECASE)
    return match[1].upper() if match else None


def _read_member(session: _Session, part: str, text: bytes | None) -> None:
    if text is None:
        session.lose(part, "SIG_EMPTY", "damaged")
        return
    table = Table.of(text)
    if part == "tags":
        _read_tags(session, table)
        return
    if not table.text:
        session.lose(part, "SIG_EMPTY", "empty")
        return
    start_us = table.first_number(0)
    if start_us is None or not 0 <= start_us < _LATEST_US:
        session.lose(part, "ROW_BAD" if start_us is None else "CLK_IMPLAUS", "no start time")
        return
    session.starts[part] = start_us
    session.signals[part] = "read"
    if part == "ibi":
        _read_ibi(session, table, start_us)
    else:
        _read_signal(session, part, table, start_us)


def _read_signal(session: _Session, part: str, table: Table, start_us: int) -> None:
    signal = SIGNALS[part]
    rate = table.first_number(1)
    most = round(_LONGEST_S * signal.info["nominal_hz"])
    rows = table.rows(2, signal.decimals, len(signal.channels), np.int32, session.codes, most)
    if rows is None:
        session.lose(part, "FS_BAD", "more rows than a week has")
        return
    if rows.shape[1] == 0:
        session.lose(part, "SIG_EMPTY", "header only")
        return
    if rate is None or rate <= 0:
        session.lose(part, "FS_BAD", "no sampling rate")
        return
    for name, values in zip(signal.channels, rows, strict=True):
        if signal.sign < 0:
            np.negative(values, out=values)  # −MISSING is MISSING again in int32
        segment = Segment(start_us, rate / 10**MICRO, values)
        session.channels[name] = Channel(name, signal.unit, signal.scale, 0.0, (segment,), signal.info)


def _read_ibi(session: _Session, table: Table, start_us: int) -> None:
    """Beats: the interval of column 2 ends at start + column 1. A repeated or backward row is dropped."""
    rows = table.rows(1, MICRO, 2, np.int64, session.codes, _MOST_EVENTS)
    if rows is None:
        session.lose("ibi", "ROW_BAD", "more rows than a week has beats")
        return
    after_us, ibi_us = rows
    if not len(after_us):
        session.lose("ibi", "SIG_EMPTY", "header only")
        return
    sound = (after_us >= 0) & (after_us < _LONGEST_US) & (ibi_us > 0) & (ibi_us < _LONGEST_IBI_US)
    session.codes["ROW_BAD"] += int(np.sum(~sound & (after_us != MISSING)))
    t_us, ibi_us = start_us + after_us[sound], ibi_us[sound]
    forward = np.ones(len(t_us), dtype=bool)
    forward[1:] = t_us[1:] > np.maximum.accumulate(t_us)[:-1]
    session.codes["T_BACK"] += int(np.sum(~forward))
    if forward.any():
        session.events["ibi"] = Events("ibi", "ms", 1e-3, 0.0, t_us[forward], ibi_us[forward].astype(np.int32))


def _read_tags(session: _Session, table: Table) -> None:
    """Presses of the button; none is the usual case and no fault."""
    rows = table.rows(0, MICRO, 1, np.int64, session.codes, _MOST_EVENTS)
    if rows is None:
        session.lose("tags", "ROW_BAD", "more rows than anybody presses")
        return
    (t_us,) = rows
    t_us = np.unique(t_us[(t_us >= 0) & (t_us < _LATEST_US)])
    session.signals["tags"] = "read" if len(t_us) else "empty"
    if len(t_us):
        session.events["event"] = Events("event", "1", 1.0, 0.0, t_us, np.ones(len(t_us), np.int32))


def _drop_misplaced(session: _Session) -> None:
    """All members of a session start within seconds: one that lies apart from the most has a false start time."""
    starts = sorted(session.starts.values())
    if len(starts) < 3:
        return
    middle = starts[(len(starts) - 1) // 2]
    for part, start_us in session.starts.items():
        if abs(start_us - middle) > _SAME_SESSION_US:
            session.lose(part, "CLK_IMPLAUS", "start time disagrees with the other members")
            session.events.pop(part, None)
            for name in SIGNALS[part].channels if part in SIGNALS else ():
                session.channels.pop(name, None)
