"""Fitbit's takeout: heart rate (JSON), HRV details, skin temperature (csv). No raw signal; vitals only (DOMAIN A5)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from engine.module import RawFile
from engine.night.formats.columns import lines
from engine.night.formats.readings import Collector, Readings, instant_us, number
from engine.night.zones import Zone

HRV_COLUMNS = ("timestamp", "rmssd", "coverage")
SKIN_COLUMNS = ("recorded_time", "temperature")
LEAST_CONFIDENCE = 2
"""Of 0 to 3: two thirds, as q_ppg of 0.6 for our own."""
LEAST_COVERAGE = 0.7
"""As rmssd_ms asks for of our own."""
_HEART_RATE = re.compile(rb'\s*\[\s*\{[^{}]{0,200}\{\s*"(?:bpm|confidence)"')
_OBJECT = re.compile(rb"\{[^{}]*\{[^{}]*\}[^{}]*\}")
_CLOCK = re.compile(r"(\d\d)/(\d\d)/(\d\d) (\d\d):(\d\d):(\d\d)")
_CENTURY = 69
"""Two-digit years from here on are of the 1900s."""


def looks_like_heart_rate(data: bytes) -> bool:
    return _HEART_RATE.match(data[:1024]) is not None


def read_heart_rate(file: RawFile, zone: Zone) -> Readings:  # noqa: ARG001 - its times are UTC
    """`[{"dateTime": "06/24/26 16:00:10", "value": {"bpm": 70, "confidence": 2}}, …]`, times in UTC.

    A cut or damaged file gives the objects that are whole. Readings of low confidence are none.
    """
    found = Collector()
    for text in _OBJECT.finditer(file.data):
        _add(found, text.group())
    lost = file.data.count(b'"dateTime"') - found.rows
    found.codes["ROW_BAD"] += max(lost, 0)
    found.codes["BLK_BAD"] += not file.data[-64:].rstrip().endswith(b"]")
    return found.readings(file, "Fitbit heart rate")


def _add(found: Collector, text: bytes) -> None:
    try:
        one = json.loads(text)
    except (ValueError, RecursionError):
        one = {}
    value = _mapping(one.get("value"))
    confidence = value.get("confidence")
    if not isinstance(confidence, int | float):
        found.bad()
    elif confidence < LEAST_CONFIDENCE:
        found.rows += 1
    else:
        found.add("hr_bpm", _utc_us(one.get("dateTime")), value.get("bpm"))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _utc_us(text: object) -> int | None:
    """Month/day/two-digit year."""
    cut = _CLOCK.fullmatch(text) if isinstance(text, str) else None
    if cut is None:
        return None
    month, day, year, hour, minute, second = map(int, cut.groups())
    try:
        at = datetime(year + (1900 if year >= _CENTURY else 2000), month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return int(at.timestamp()) * 10**6


def read_hrv(file: RawFile, zone: Zone) -> Readings:
    """`timestamp,rmssd,coverage,…`: five minutes each, times by the wall's clock unless they carry an offset."""
    found = Collector()
    for row in lines(file.data, found):
        coverage = number(row["coverage"])
        if coverage is None:
            found.bad()
        elif coverage < LEAST_COVERAGE:
            found.rows += 1
        else:
            found.add("rmssd_ms", instant_us(row["timestamp"], zone), number(row["rmssd"]))
    return found.readings(file, "Fitbit HRV details", is_local=True)


def read_skin_temperature(file: RawFile, zone: Zone) -> Readings:
    """`recorded_time,temperature,…`: a minute each, times by the wall's clock. Values relative to a baseline, as newer
    exports have, are no temperatures: `clean` leaves them out."""
    found = Collector()
    for row in lines(file.data, found):
        found.add("skin_temp_c", instant_us(row["recorded_time"], zone), number(row["temperature"]))
    return found.readings(file, "Fitbit skin temperature", is_local=True)
