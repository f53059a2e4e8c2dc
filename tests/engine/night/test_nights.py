from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from engine.night.nights import count_reboots, overlap, pieces, split
from engine.night.recording import Device
from engine.night.zones import as_date
from tests.engine.night.hand import EVENING_US, channel, recording, session, source, still, us

HOUR_US = 3_600_000_000


def _nights(start: str, hours: float, zone: str = "UTC") -> list[date]:
    made = session(us(start), hours, zone)
    return [as_date(day) for day in np.unique(made.night(made.grid.ts_us)).tolist()]


@pytest.mark.parametrize(
    ("start", "hours", "expected"),
    [
        ("2026-11-21T22:00", 8, [date(2026, 11, 21)]),
        ("2026-11-22T03:00", 5, [date(2026, 11, 21)]),
        ("2026-11-22T11:59", 6, [date(2026, 11, 21)]),
        ("2026-11-22T12:00", 6, [date(2026, 11, 22)]),
        ("2026-11-21T22:00", 17.9, [date(2026, 11, 21)]),
        ("2026-11-21T22:00", 18, [date(2026, 11, 21), date(2026, 11, 22)]),
        ("2026-11-21T22:00", 40, [date(2026, 11, 21), date(2026, 11, 22), date(2026, 11, 23)]),
    ],
)
def test_short_recordings_are_never_cut_and_long_ones_at_noon(start: str, hours: float, expected: list[date]) -> None:
    assert _nights(start, hours) == expected


def test_noon_is_local() -> None:
    assert _nights("2026-11-21T04:00", 6, "Asia/Tokyo") == [date(2026, 11, 21)]
    assert _nights("2026-11-21T02:00", 6, "Asia/Tokyo") == [date(2026, 11, 20)]


def test_a_hole_of_years_parts_the_recording() -> None:
    temp = channel("skin_temp", (0, 1.0, [3300] * 100), (EVENING_US, 1.0, [3300] * 50))
    sessions = split([recording([temp])], source())
    assert [s.grid.n for s in sessions] == [10, 5]
    assert [len(s.recording.channels["skin_temp"].segments) for s in sessions] == [1, 1]


def test_without_samples_there_is_no_session() -> None:
    assert split([recording([channel("skin_temp")])], source()) == ()
    assert split([recording([])], source()) == ()


def test_a_whole_recording_stays_the_same_object() -> None:
    made = still(EVENING_US, 1)
    assert next(pieces(made)) is made


def test_sessions_are_in_time_order() -> None:
    late, early = still(EVENING_US + HOUR_US, 0.5, file="late"), still(EVENING_US, 0.5, file="early")
    assert [s.recording.file for s in split([late, early], source())] == ["early", "late"]


@pytest.mark.parametrize(("gap_h", "reboots"), [(0.01, 1), (3, 1), (3.1, 0), (-0.2, 0)])
def test_a_reboot_comes_within_three_hours(gap_h: float, reboots: int) -> None:
    first = still(EVENING_US, 1)
    second = still(EVENING_US + HOUR_US + round(gap_h * HOUR_US), 1)
    assert count_reboots(split([first, second], source())) == reboots


def test_another_device_is_no_reboot_but_a_second_source() -> None:
    devices = [Device("Empatica", "E4", serial) for serial in ("A1", "A2")]
    made = [still(EVENING_US + i * HOUR_US, 1, device=device) for i, device in enumerate(devices)]
    sessions = split(made, source())
    assert count_reboots(sessions) == 0
    assert overlap(sessions)
    assert not overlap(split([replace(r, device=devices[0]) for r in made], source()))


def test_two_recordings_of_one_moment_overlap() -> None:
    assert overlap(split([still(EVENING_US, 2), still(EVENING_US + HOUR_US, 2)], source()))
