"""Local time: which zone rules a recording, where noon lies, and to which night a moment belongs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from engine.module import Source
from engine.night.recording import Recording

SECOND_US = 1_000_000
DAY_S = 86_400
HALF_DAY_S = 43_200
EVENING_S, MORNING_S = 21 * 3600, 9 * 3600
QUARTER_S = 900
"""Zone rules change at whole quarters of an hour UTC, so that one look-up a quarter is enough."""
MAX_OFFSET_S = DAY_S - 1
EPOCH_DAY = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Zone:
    """Rules of local time. `known` is False where nothing said where the recording was made and UTC stands in."""

    rules: tzinfo
    known: bool = True

    def offset_s(self, ts_us: NDArray[np.int64]) -> NDArray[np.int64]:
        """(n,) int64: local time minus UTC at each moment. ts_us: (n,) int64, UTC µs."""
        quarters = ts_us // (QUARTER_S * SECOND_US)
        change = np.flatnonzero(np.diff(quarters)) + 1
        starts = np.concatenate([np.zeros(min(len(ts_us), 1), np.int64), change])
        offsets = [_offset_s(self.rules, quarter) for quarter in quarters[starts].tolist()]
        return np.repeat(np.array(offsets, np.int64), np.diff(np.append(starts, len(ts_us))))

    def noon_us(self, day: date) -> int:
        """Local noon of a date, UTC µs."""
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=self.rules)
        return round(noon.timestamp()) * SECOND_US

    def night_of(self, ts_us: NDArray[np.int64]) -> NDArray[np.int32]:
        """(n,) int32: days since 1970 of the evening whose noon-to-noon window holds each moment."""
        local_s = ts_us // SECOND_US + self.offset_s(ts_us)
        return ((local_s - HALF_DAY_S) // DAY_S).astype(np.int32)

    def is_night(self, ts_us: NDArray[np.int64]) -> NDArray[np.bool_]:
        """(n,) bool: whether each moment lies between local 21:00 and 09:00."""
        of_day_s = (ts_us // SECOND_US + self.offset_s(ts_us)) % DAY_S
        return (of_day_s >= EVENING_S) | (of_day_s < MORNING_S)


@lru_cache(maxsize=1024)
def _offset_s(rules: tzinfo, quarter: int) -> int:
    """Local time minus UTC in a quarter of an hour, numbered since 1970: stages and nights ask for the same ones."""
    offset = datetime.fromtimestamp(quarter * QUARTER_S, rules).utcoffset()
    return round(offset.total_seconds()) if offset is not None else 0


def window_us(zone: Zone, night: date) -> tuple[int, int]:
    """Local noon of the evening's date to local noon of the next: 23, 24 or 25 hours. UTC µs.

    >>> start, end = window_us(Zone(ZoneInfo("Europe/Zurich")), date(2026, 3, 28))
    >>> start // 10**6, (end - start) // 10**6
    (1774695600, 82800)
    """
    return zone.noon_us(night), zone.noon_us(night + timedelta(days=1))


def as_date(day: int) -> date:
    """The date of a number of days since 1970."""
    return EPOCH_DAY + timedelta(days=int(day))


def resolve(recording: Recording, source: Source) -> Zone:
    """The file's zone, else the Source's (its subjects table, then its input), else a fixed device offset, else UTC.

    A name that the time zone database does not know counts as not said.
    """
    return _first((recording.zone, source.zone), (recording.offset_s, source.device_offset_s))


def of_source(source: Source) -> Zone:
    """As `resolve`, for files that say nothing of their zone."""
    return _first((source.zone,), (source.device_offset_s,))


def _first(names: Iterable[str | None], offsets_s: Iterable[int | None]) -> Zone:
    named = [zone for name in names if name and (zone := _named(name))]
    fixed = [zone for offset_s in offsets_s if offset_s is not None and (zone := _fixed(offset_s))]
    return (named + fixed + [Zone(UTC, known=False)])[0]


def _named(name: str) -> Zone | None:
    try:
        return Zone(ZoneInfo(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _fixed(offset_s: int) -> Zone | None:
    return Zone(timezone(timedelta(seconds=offset_s))) if abs(offset_s) <= MAX_OFFSET_S else None
