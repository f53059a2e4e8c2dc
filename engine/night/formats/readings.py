"""Vitals that a device computed itself, without a raw signal: readings, which of them can be, and their hours."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from engine.module import RawFile, Status, Verdict
from engine.night.clock import DOUBTFUL_US, EARLIEST_US, SECOND_US
from engine.night.reasons import WRONG_CLOCK, in_order
from engine.night.zones import DAY_S, Zone
from engine.vitals.hours import UNKNOWN, Hours, by_hour
from engine.vitals.plausibility import plausible, to_celsius

TEMPERATURES = ("core_temp_c", "skin_temp_c")
LEAST_READINGS = 1
"""An hour's least: each reading already is the device's own mean over seconds or minutes."""
MOST_BAD_ROWS = 0.2
MOST = 1e9
"""No number of a reading is larger."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Series:
    """ts_us: (n,) int64 UTC µs, ascending and distinct once clean. values: (n,) float64 in the vital's unit."""

    ts_us: NDArray[np.int64]
    values: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Readings:
    """One file's readings by vital. origin: what the file is, for a person. codes: what was met, by reason code.

    rows: readings in the file, usable or not. is_local: its clock is the wall's. implausible: readings left out since
    no body has such a value.
    """

    file: str
    sha256: str
    origin: str
    vitals: Mapping[str, Series]
    codes: Mapping[str, int]
    rows: int
    is_local: bool = False
    implausible: int = 0


@dataclass(slots=True)
class Collector:
    """Gathers readings while a file is read, 16 bytes each."""

    rows: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    found: dict[str, tuple[array[int], array[float]]] = field(default_factory=dict)

    def add(self, vital: str, ts_us: int | None, value: object) -> None:
        """A reading; without a time or a finite number it counts as a bad row."""
        if ts_us is None or isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < MOST:
            self.bad()
            return
        self.rows += 1
        times, values = self.found.setdefault(vital, (array("q"), array("d")))
        times.append(ts_us)
        values.append(value)

    def bad(self) -> None:
        self.rows += 1
        self.codes["ROW_BAD"] += 1

    def readings(self, file: RawFile, origin: str, is_local: bool = False) -> Readings:
        vitals = {name: Series(np.array(t, np.int64), np.array(v)) for name, (t, v) in self.found.items()}
        return Readings(file.name, file.sha256, origin, vitals, +self.codes, self.rows, is_local)


def instant_us(text: str, zone: Zone) -> int | None:
    """UTC µs of an ISO time; one without an offset is the zone's wall clock. None where it is no time.

    >>> instant_us("2020-10-23T22:03:00+02:00", Zone(UTC))
    1603483380000000
    """
    try:
        at = datetime.fromisoformat(text)
        return ((at if at.tzinfo else at.replace(tzinfo=zone.rules)) - _EPOCH) // _MICROSECOND
    except (ValueError, OverflowError):
        return None


def number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def clean(readings: Readings, received_at: datetime | None) -> Readings:
    """In time order, each instant once, dated as can be (DOMAIN A8), in °C and in range (H3); losses are counted."""
    latest_us = None if received_at is None else (received_at - _EPOCH) // _MICROSECOND + DAY_S * SECOND_US
    codes = Counter(readings.codes)
    kept = {name: _clean(name, one, latest_us, codes) for name, one in readings.vitals.items()}
    some = {name: series for name, series in kept.items() if len(series.ts_us)}
    implausible = codes.pop("implausible", 0)
    return replace(readings, vitals=some, codes=+codes, implausible=implausible)


def _clean(vital: str, series: Series, latest_us: int | None, codes: Counter[str]) -> Series:
    order = np.argsort(series.ts_us, kind="stable")
    ts_us, values = series.ts_us[order], series.values[order]
    dated = (ts_us >= EARLIEST_US) & (True if latest_us is None else ts_us <= latest_us)
    codes["CLK_IMPLAUS"] += int((~dated | (ts_us < DOUBTFUL_US)).sum())
    ts_us, values = ts_us[dated], values[dated]
    again = np.concatenate([[False], ts_us[1:] == ts_us[:-1]]) if len(ts_us) else np.zeros(0, np.bool_)
    codes["T_DUP"] += int((again[1:] & (values[1:] == values[:-1])).sum())
    codes["T_CONFLICT"] += int((again[1:] & (values[1:] != values[:-1])).sum())
    ts_us, values = ts_us[~again], values[~again]
    if vital in TEMPERATURES:
        values, converted = to_celsius(values)
        codes["TEMP_UNIT"] += int(converted.sum())
    possible = plausible(vital, values)
    codes["implausible"] += int((~possible).sum())
    return Series(ts_us[possible], values[possible])


def hours(readings: Iterable[Readings]) -> dict[str, Hours]:
    """Hours of each vital over all files of a Source; of readings at one instant the first file's counts."""
    pooled: dict[str, list[Series]] = {}
    for one in readings:
        for vital, series in one.vitals.items():
            pooled.setdefault(vital, []).append(series)
    return {vital: _hours(vital, pooled[vital]) for vital in sorted(pooled)}


def _hours(vital: str, parts: Sequence[Series]) -> Hours:
    ts_us, first = np.unique(np.concatenate([part.ts_us for part in parts]), return_index=True)
    values = np.concatenate([part.values for part in parts])[first]
    return by_hour(vital, ts_us, values, np.full(len(ts_us), UNKNOWN, np.int8), LEAST_READINGS)


def verdicts(cleaned: Sequence[Readings], zone: Zone) -> Iterator[Verdict]:
    """One for each file: ok with `DERIVED`, partial where part of the file was lost, rejected where nothing is left."""
    first: dict[str, str] = {}
    for one in cleaned:
        yield _verdict(one, first.setdefault(one.sha256, one.file), zone)


def _verdict(one: Readings, original: str, zone: Zone) -> Verdict:
    codes = {*one.codes, "DERIVED"}
    codes.update(["T_DUP"] if original != one.file else [])
    codes.update([] if zone.known or not one.is_local else ["TZ_UNKNOWN"])
    lost = "BLK_BAD" in codes or one.codes.get("ROW_BAD", 0) > MOST_BAD_ROWS * one.rows
    if not one.vitals:
        return Verdict(one.file, Status.REJECTED, in_order(codes), f"{one.origin}: {_nothing(one)}")
    message = "; ".join(_sentence(one, lost, original))
    return Verdict(one.file, Status.PARTIAL if lost else Status.OK, in_order(codes), message)


def _nothing(one: Readings) -> str:
    if one.implausible:
        return f"none of its {one.implausible} values can be a body's: export absolute ones, not changes"
    if one.codes.get("CLK_IMPLAUS"):
        return WRONG_CLOCK
    return "no reading that can be used: export it again"


def _sentence(one: Readings, lost: bool, original: str) -> Iterator[str]:
    told = ", ".join(f"{len(series.ts_us):,} of {vital}" for vital, series in one.vitals.items())
    yield f"{one.origin}: {told}, the device's own, so vitals only"
    if one.implausible:
        yield f"{one.implausible:,} implausible left out"
    if lost:
        yield "part of the file was lost, export it again"
    if original != one.file:
        yield f"the same bytes as {original}, which stands for both"
