from __future__ import annotations

from datetime import UTC, date, timedelta

import numpy as np
import pytest

from engine.night.zones import Zone, as_date, resolve, window_us
from tests.engine.night.hand import EVENING_US, source, still, us

ZURICH = resolve(still(EVENING_US, 0.1), source("Europe/Zurich"))


@pytest.mark.parametrize(
    ("night", "start_s", "end_s", "epochs"),
    [
        (date(2026, 3, 28), 1774695600, 1774778400, 8_280),
        (date(2026, 10, 24), 1792836000, 1792926000, 9_000),
        (date(2026, 11, 21), 1795258800, 1795345200, 8_640),
    ],
)
def test_known_answers_b1(night: date, start_s: int, end_s: int, epochs: int) -> None:
    start_us, end_us = window_us(ZURICH, night)
    assert (start_us, end_us) == (start_s * 10**6, end_s * 10**6)
    ts_us = np.arange(start_us, end_us, 10_000_000)
    assert len(ts_us) == epochs
    assert {as_date(day) for day in ZURICH.night_of(ts_us).tolist()} == {night}
    edges = ZURICH.night_of(np.array([start_us - 1, end_us]))
    assert [as_date(day) for day in edges.tolist()] == [night - timedelta(days=1), night + timedelta(days=1)]


def test_offsets_change_at_the_transition() -> None:
    ts_us = us("2026-03-29T01:00:00") + np.array([-1, 0]) * 1_000_000
    assert ZURICH.offset_s(ts_us).tolist() == [3600, 7200]
    assert ZURICH.offset_s(np.empty(0, np.int64)).tolist() == []


def test_night_hours_are_local() -> None:
    texts = ("2026-07-01T18:59:59", "2026-07-01T19:00:00", "2026-07-02T06:59:59", "2026-07-02T07:00:00")
    assert ZURICH.is_night(np.array([us(text) for text in texts])).tolist() == [False, True, True, False]


@pytest.mark.parametrize(
    ("own", "given", "offset_s", "device_offset_s", "hours", "known"),
    [
        ("Asia/Tokyo", "Europe/Zurich", 0, 0, 9, True),
        (None, "Europe/Zurich", 7200, 7200, 1, True),
        ("Nowhere/Atlantis", "Europe/Zurich", None, None, 1, True),
        ("", None, 7200, -3600, 2, True),
        (None, "Europe", None, -3600, -1, True),
        (None, "../../etc/passwd", None, None, 0, False),
        (None, None, 10**9, None, 0, False),
        (None, None, None, None, 0, False),
    ],
)
def test_precedence(own, given, offset_s, device_offset_s, hours, known) -> None:  # type: ignore[no-untyped-def]
    made = still(EVENING_US, 0.1, zone=own, offset_s=offset_s)
    zone = resolve(made, source(given, device_offset_s=device_offset_s))
    assert zone.known is known
    assert zone.offset_s(np.array([us("2026-01-15T12:00:00")])).tolist() == [hours * 3600]


def test_utc_stands_in_for_the_unknown() -> None:
    assert resolve(still(EVENING_US, 0.1), source(None)) == Zone(UTC, known=False)
