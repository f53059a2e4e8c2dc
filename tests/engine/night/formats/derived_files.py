"""Exports of devices that compute their vitals themselves, as bytes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 27, 22, 0, tzinfo=UTC)
RECORD = (
    '<Record type="HKQuantityTypeIdentifier{kind}" sourceName="W" unit="{unit}" startDate="{at}" value="{value}"/>\n'
)
HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE HealthData [\n<!ELEMENT HealthData (Record*)>\n]>\n'
    '<HealthData locale="en_GB">\n <ExportDate value="2026-04-01 10:00:00 +0200"/>\n'
)


def heart_rate(n: int = 720, seconds: int = 10, confidence: int = 3) -> bytes:
    """Fitbit's JSON: 60 to 64 bpm."""
    rows = [
        {"dateTime": f"{START + timedelta(seconds=i * seconds):%m/%d/%y %H:%M:%S}", "value": {"bpm": 60 + i % 5}}
        for i in range(n)
    ]
    for row in rows:
        row["value"]["confidence"] = confidence  # type: ignore[index]
    return json.dumps(rows, indent=2).encode()


def hrv(n: int = 24, coverage: float = 0.95) -> bytes:
    """Fitbit's HRV details from local 23:00 on."""
    at = datetime(2026, 3, 27, 23, 0)
    rows = [f"{at + timedelta(minutes=5 * i):%Y-%m-%dT%H:%M:%S},{40 + i % 3},{coverage},512.1,301.2" for i in range(n)]
    return "\n".join(["timestamp,rmssd,coverage,low_frequency,high_frequency", *rows, ""]).encode()


def skin(values: list[float]) -> bytes:
    """Fitbit's skin temperature from local 23:00 on, a minute each."""
    at = datetime(2026, 3, 27, 23, 0)
    rows = [f"{at + timedelta(minutes=i):%Y-%m-%dT%H:%M},{value},CEDA" for i, value in enumerate(values)]
    return "\n".join(["recorded_time,temperature,sensor_type", *rows, ""]).encode()


def apple(records: list[tuple[str, str, str, str]]) -> bytes:
    """kind, unit, startDate, value of each."""
    lines = [RECORD.format(kind=kind, unit=unit, at=at, value=value) for kind, unit, at, value in records]
    return (HEAD + "".join(lines) + "</HealthData>\n").encode()


def apple_night(n: int = 120) -> bytes:
    """Heart rate each minute from 23:00 +0100 on, and one of each other vital."""
    pulse = [
        ("HeartRate", "count/min", f"2026-03-27 23:{i % 60:02d}:{i // 60:02d} +0100", f"{60 + i % 5}") for i in range(n)
    ]
    at = "2026-03-28 00:30:00 +0100"
    others = [
        ("RespiratoryRate", "count/min", at, "14.5"),
        ("OxygenSaturation", "%", at, "0.97"),
        ("BodyTemperature", "degF", at, "98.6"),
        ("HeartRateVariabilitySDNN", "ms", at, "55.5"),
        ("StepCount", "count", at, "100"),
    ]
    return apple(pulse + others)


def withings(values: list[list[float]]) -> bytes:
    """A row each five minutes from 23:00 +01:00 on."""
    at = datetime.fromisoformat("2026-03-27T23:00:00+01:00")
    rows = [
        f'{(at + timedelta(minutes=5 * i)).isoformat()},"{json.dumps([60] * len(row))}","{json.dumps(row)}"'
        for i, row in enumerate(values)
    ]
    return "\n".join(["start,duration,value", *rows, ""]).encode()
