"""Withings' raw exports of a night: heart and breathing rate, a minute each. No raw signal; vitals only."""

from __future__ import annotations

import json
from pathlib import PurePosixPath

from engine.module import RawFile
from engine.night.formats.columns import lines
from engine.night.formats.readings import Collector, Readings, instant_us
from engine.night.zones import Zone

COLUMNS = ("start", "duration", "value")
VITALS = {"hr": "hr_bpm", "respiratory-rate": "rr_brpm"}
"""By the end of the name: all of Withings' raw exports have the same columns, and only the name says what they hold."""
_LONGEST_S = 3600.0


def kind_of(name: str) -> str:
    """What a file's name says it holds.

    >>> kind_of("P01/raw_sleep-monitor_respiratory-rate.csv")
    'respiratory-rate'
    """
    return PurePosixPath(name).stem.rpartition("_")[2].lower()


def read(file: RawFile, zone: Zone) -> Readings:
    """`2026-10-23T22:03:00+02:00,"[60,60]","[66,65]"`: a start, then seconds and value of each reading in turn."""
    found = Collector()
    vital = VITALS[kind_of(file.name)]
    for row in lines(file.data, found, is_cut_unless_ended=False):
        ts_us = instant_us(row["start"], zone)
        lengths, values = _numbers(row["duration"]), _numbers(row["value"])
        if ts_us is None or not lengths or len(lengths) != len(values) or not all(0 < s <= _LONGEST_S for s in lengths):
            found.bad()
            continue
        for seconds, value in zip(lengths, values, strict=True):
            found.add(vital, ts_us, value)
            ts_us += round(seconds * 1e6)
    return found.readings(file, f"Withings {kind_of(file.name)}")


def _numbers(cell: str) -> list[float]:
    """The numbers of a list such as [60,60]; none where the cell is anything else."""
    try:
        found = json.loads(cell)
    except (ValueError, RecursionError):
        return []
    plain = isinstance(found, list) and all(isinstance(one, int | float) and not isinstance(one, bool) for one in found)
    return found if plain else []
