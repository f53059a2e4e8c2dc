from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
import pytest

from engine.night.epochs import ASLEEP, AWAKE, UNKNOWN
from engine.night.sleep import find
from engine.night.zones import Zone
from tests.engine.night.hand import night, us

UTC = Zone(ZoneInfo("UTC"))
HOUR_US = 3_600_000_000


def _restless(hours: float):  # type: ignore[no-untyped-def]
    return np.random.default_rng(0).normal(0, 20, (round(hours * 360), 2))


def test_a_night_worn_only_at_night_takes_the_fixed_threshold() -> None:
    made = night(8, us("2026-01-10T22:00"))
    sleep = find(made, UTC)
    assert sleep.method == "hdcza_fixed"
    assert (sleep.end_us - sleep.onset_us) / HOUR_US == pytest.approx(8, abs=0.1)
    assert (sleep.state == ASLEEP).mean() > 0.95


def test_a_day_and_a_night_take_the_percentile() -> None:
    made = night(20, us("2026-01-10T14:00"))
    made.angle5_deg[: 8 * 360] = _restless(8)
    made.angle5_deg[16 * 360 :] = _restless(4)
    sleep = find(made, UTC)
    assert sleep.method == "hdcza"
    assert abs(sleep.onset_us - us("2026-01-10T22:00")) < HOUR_US / 30
    assert abs(sleep.end_us - us("2026-01-11T06:00")) < HOUR_US / 30


@pytest.mark.parametrize(
    ("start", "hours", "method"),
    [
        ("2026-01-10T09:00", 8, "none"),
        ("2026-01-10T13:00", 4, "none"),
        ("2026-01-10T18:30", 5, "none"),
        ("2026-01-10T20:00", 5, "hdcza_fixed"),
        ("2026-01-11T04:00", 8, "hdcza_fixed"),
        ("2026-01-10T23:00", 2.5, "none"),
    ],
)
def test_stillness_by_day_is_no_night_of_sleep(start: str, hours: float, method: str) -> None:
    sleep = find(night(hours, us(start)), UTC)
    assert sleep.method == method
    assert (sleep.state != UNKNOWN).any() == (method != "none")


def test_the_night_is_local() -> None:
    made = night(8, us("2026-01-10T09:00"))
    assert find(made, Zone(ZoneInfo("Pacific/Auckland"))).method == "hdcza_fixed"


def test_a_restless_night_without_a_still_block_is_none() -> None:
    made = night(8, us("2026-01-10T22:00"), {"angle5_deg": _restless(8)})
    assert find(made, UTC).method == "none"


@pytest.mark.parametrize(
    ("start", "hours", "method"), [("2026-01-10T22:00", 8, "session"), ("2026-01-10T10:00", 8, "none")]
)
def test_without_acceleration_the_session_stands_in(start: str, hours: float, method: str) -> None:
    sleep = find(night(hours, us(start), {"angle5_deg": np.nan, "acc": 0.0}), UTC)
    assert sleep.method == method
    assert (sleep.state == ASLEEP).all() == (method == "session")


def test_the_session_bridges_an_hour_off_the_wrist_and_is_awake_nowhere() -> None:
    made = night(9, us("2026-01-10T22:00"), {"angle5_deg": np.nan})
    made.wear[3 * 360 : 4 * 360] = 0
    sleep = find(made, UTC)
    assert sleep.end_us - sleep.onset_us == 9 * HOUR_US
    assert (sleep.state[3 * 360 : 4 * 360] == UNKNOWN).all()
    made.wear[3 * 360 : 4 * 360 + 1] = 0
    assert find(made, UTC).end_us - find(made, UTC).onset_us < 6 * HOUR_US


def test_turning_over_is_awake_and_off_the_wrist_unknown() -> None:
    made = night(8, us("2026-01-10T22:00"))
    made.angle5_deg[1000:1020] = _restless(1)[:20]
    made.wear[2000:2010] = 0
    sleep = find(made, UTC)
    assert (sleep.state[1001:1019] == AWAKE).all()
    assert (sleep.state[2000:2010] == UNKNOWN).all()
    assert sleep.state[1500] == ASLEEP


@pytest.mark.parametrize(("epochs", "method"), [(12 * 360, "hdcza"), (12 * 360 - 1, "hdcza_fixed")])
def test_twelve_hours_recorded_have_a_waking_part(epochs: int, method: str) -> None:
    assert find(night(epochs / 360, us("2026-01-10T20:00")), UTC).method == method


@pytest.mark.parametrize(("step", "method"), [(0.19, "hdcza_fixed"), (0.21, "none")])
def test_the_fixed_threshold_is_a_fifth_of_a_degree(step: float, method: str) -> None:
    angle = 10.0 + step * (np.arange(2 * 8 * 360) % 2).reshape(-1, 2)
    assert find(night(8, us("2026-01-10T22:00"), {"angle5_deg": angle}), UTC).method == method
