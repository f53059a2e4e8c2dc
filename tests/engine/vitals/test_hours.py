from __future__ import annotations

import numpy as np
import pytest

from engine.vitals.hours import HOUR_US, by_hour

STEP_US = 10_000_000


def _hours(values, start_us: int = HOUR_US, asleep=None):  # type: ignore[no-untyped-def]
    values = np.asarray(values, float)
    state = np.full(len(values), -1, np.int8) if asleep is None else np.asarray(asleep, np.int8)
    return by_hour("hr_bpm", start_us + STEP_US * np.arange(len(values)), values, state)


def test_the_median_of_plausible_readings() -> None:
    hours = _hours([60, 61, 62, 0, np.nan, 300, 63, 64, 65])
    assert hours.ts_us.tolist() == [HOUR_US]
    assert hours.value.tolist() == [62.5]
    assert hours.n.tolist() == [6]
    assert (hours.low[0], hours.high[0]) == (60, 65)
    assert hours.sd[0] == pytest.approx(np.std([60, 61, 62, 63, 64, 65], ddof=1))
    assert hours.mean_gap_s[0] == pytest.approx(80 / 5)


@pytest.mark.parametrize(("n", "rows"), [(5, 0), (6, 1)])
def test_six_readings_are_needed(n: int, rows: int) -> None:
    assert len(_hours([60] * n).ts_us) == rows


def test_hours_are_half_open_and_utc() -> None:
    hours = _hours([60] * 12, 2 * HOUR_US - 6 * STEP_US)
    assert hours.ts_us.tolist() == [HOUR_US, 2 * HOUR_US]
    assert hours.n.tolist() == [6, 6]


def test_the_share_asleep_is_of_known_states() -> None:
    assert _hours([60] * 6, asleep=[1, 1, 0, -1, -1, -1]).asleep_share.tolist() == [pytest.approx(2 / 3)]
    assert np.isnan(_hours([60] * 6).asleep_share[0])


def test_a_leap_is_left_out() -> None:
    assert _hours([60, 60, 60, 200, 60, 60, 60]).high[0] == 60


def test_nothing_gives_nothing() -> None:
    assert len(_hours([]).ts_us) == 0
    assert len(_hours([np.nan] * 50).value) == 0
