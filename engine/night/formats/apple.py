"""Apple Health's export.xml: the vitals among its records. No raw signal; vitals only (DOMAIN A5)."""

from __future__ import annotations

from collections.abc import Mapping
from xml.parsers import expat

from engine.module import RawFile
from engine.night.formats.readings import Collector, Readings, instant_us, number
from engine.night.zones import Zone

VITALS = {
    "HKQuantityTypeIdentifierHeartRate": "hr_bpm",
    "HKQuantityTypeIdentifierRespiratoryRate": "rr_brpm",
    "HKQuantityTypeIdentifierOxygenSaturation": "spo2_pct",
    "HKQuantityTypeIdentifierBodyTemperature": "core_temp_c",
    "HKQuantityTypeIdentifierHeartRateVariabilitySDNN": "sdnn_ms",
}
_ROOT = b"<HealthData"
_HEAD_BYTES = 1 << 16
_CHUNK_BYTES = 1 << 18
_LONGEST_TOKEN_BYTES = 1 << 22
"""A tag that does not end by then is damage; the parser would read its beginning again with every chunk."""
_OFFSET_AT = 19


def looks_like_export(data: bytes) -> bool:
    begin = data[:64].lstrip(b"\xef\xbb\xbf \r\n\t")
    return begin.startswith((b"<?xml", b"<!DOCTYPE", _ROOT)) and _ROOT in data[:_HEAD_BYTES]


def read(file: RawFile, zone: Zone) -> Readings:
    """Records up to the first damage. The document type before the root is not read at all, so that no entity can be
    declared; memory besides the bytes is a chunk and 16 bytes a reading."""
    found = Collector()
    parser = expat.ParserCreate("UTF-8")

    def start(name: str, attributes: Mapping[str, str]) -> None:
        vital = VITALS.get(attributes.get("type", "")) if name == "Record" else None
        if vital is not None:
            found.add(vital, _instant_us(attributes.get("startDate", ""), zone), _value(vital, attributes))

    parser.StartElementHandler = start
    found.codes["BLK_BAD"] += not _parse(parser, memoryview(file.data)[file.data.find(_ROOT) :])
    return found.readings(file, "Apple Health export")


def _parse(parser: expat.XMLParserType, data: memoryview) -> bool:
    """Feeds it chunk by chunk; False where it stops before the end."""
    try:
        for at in range(0, len(data), _CHUNK_BYTES):
            if at - parser.CurrentByteIndex > _LONGEST_TOKEN_BYTES:
                return False
            parser.Parse(data[at : at + _CHUNK_BYTES], False)
        parser.Parse(b"", True)
    except expat.ExpatError:
        return False
    return True


def _instant_us(text: str, zone: Zone) -> int | None:
    """`2026-03-27 23:59:55 +0100`."""
    return instant_us(text[:_OFFSET_AT] + text[_OFFSET_AT:].replace(" ", ""), zone)


def _value(vital: str, attributes: Mapping[str, str]) -> float | None:
    """In the vital's unit; saturation comes as a share of one, in spite of its unit %."""
    value = number(attributes.get("value", ""))
    return value * 100 if value is not None and vital == "spo2_pct" and value <= 1 else value
