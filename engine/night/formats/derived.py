"""Which files hold a device's own vitals, not a signal. The content says so; of a name only Withings' own ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.module import RawFile
from engine.night.formats import apple, fitbit, withings
from engine.night.formats.columns import header
from engine.night.formats.readings import Readings
from engine.night.zones import Zone

Reader = Callable[[RawFile, Zone], Readings]


def read(files: Sequence[RawFile], zone: Zone) -> tuple[tuple[Readings, ...], tuple[RawFile, ...]]:
    """The readings of these files, and the other files. zone: of times that carry none. Never raises."""
    found, others = list[Readings](), list[RawFile]()
    for file in files:
        reader = reader_of(file)
        if reader is None:
            others.append(file)
        else:
            found.append(reader(file, zone))
    return tuple(found), tuple(others)


def reader_of(file: RawFile) -> Reader | None:
    """None for a file without a device's own vitals."""
    if fitbit.looks_like_heart_rate(file.data):
        return fitbit.read_heart_rate
    if apple.looks_like_export(file.data):
        return apple.read
    names = header(file.data)
    if set(fitbit.HRV_COLUMNS) <= set(names):
        return fitbit.read_hrv
    if set(fitbit.SKIN_COLUMNS) <= set(names):
        return fitbit.read_skin_temperature
    return withings.read if names == withings.COLUMNS and withings.kind_of(file.name) in withings.VITALS else None
