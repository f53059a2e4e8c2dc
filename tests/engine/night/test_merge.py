from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.night.epochs import concatenate, dense
from engine.night.merge import donning, merge, settle
from engine.night.nights import split
from engine.night.reasons import BIT
from tests.engine.night.hand import EVENING_US, night, source, still

MINUTE = 6


def _sessions(*shas: str):  # type: ignore[no-untyped-def]
    made = [still(EVENING_US, 0.1, sha256=sha, file=sha) for sha in shas]
    return split(made, source())


def _part(number: int, q_ppg, hr: float, start_us: int = EVENING_US):  # type: ignore[no-untyped-def]
    return night(1 / 60, start_us, {"q_ppg": q_ppg, "hr_bpm": hr, "session": number})


def test_of_two_the_better_pulse_counts_then_the_lower_hash() -> None:
    better = np.array([0.9, 0.1, 0.5, 0.5, 0.0, 0.7])
    worse = np.array([0.1, 0.9, 0.5, 0.5, 0.0, 0.7])
    merged = merge([_part(0, better, 50), _part(1, worse, 70)], _sessions("aa", "bb"))
    assert merged.hr_bpm.tolist() == [50, 70, 50, 50, 50, 50]
    assert (merged.reasons & BIT["MULTI_SRC"] != 0).all()
    assert np.all(np.diff(merged.ts_us) == 10_000_000)


def test_the_order_of_the_files_does_not_matter() -> None:
    parts = [_part(0, 0.5, 50), _part(1, 0.5, 70)]
    sessions = _sessions("aa", "bb")
    one = merge(parts, sessions)
    swapped = [replace(parts[1], session=parts[1].session - 1), replace(parts[0], session=parts[0].session + 1)]
    two = merge(swapped, sessions[::-1])
    np.testing.assert_array_equal(one.hr_bpm, two.hr_bpm)


def test_sessions_that_follow_each_other_are_joined_untouched() -> None:
    later = _part(1, 0.9, 70, EVENING_US + 60_000_000)
    merged = merge([later, _part(0, 0.9, 50)], _sessions("aa", "bb"))
    assert merged.hr_bpm.tolist() == [50.0] * 6 + [70.0] * 6
    assert not (merged.reasons & BIT["MULTI_SRC"]).any()


def test_dense_fills_holes_with_blank_rows() -> None:
    parts = concatenate([_part(0, 0.9, 50), _part(0, 0.9, 70, EVENING_US + 120_000_000)])
    made = dense(parts)
    assert len(made) == 18
    assert made.recorded.tolist() == [True] * 6 + [False] * 6 + [True] * 6
    assert np.isnan(made.hr_bpm[6:12]).all()
    assert (made.wear[6:12] == -1).all()


@pytest.mark.parametrize(("hole_min", "again"), [(15, False), (15.2, True)])
def test_donning_is_the_start_and_every_return(hole_min: float, again: bool) -> None:
    n = 60 * MINUTE
    ts_us = EVENING_US + 10_000_000 * np.arange(n)
    ts_us[30 * MINUTE :] += round(hole_min * 60) // 10 * 10_000_000
    fresh = donning(ts_us, np.ones(n, bool))
    assert fresh[: 15 * MINUTE].all()
    assert not fresh[15 * MINUTE : 30 * MINUTE].any()
    assert fresh[30 * MINUTE] == again


def test_skin_temperature_waits_for_the_skin() -> None:
    made = night(1)
    made.wear[120:130] = 0
    made.temp_c[300:] = 43.0
    settled = settle(made)
    assert np.flatnonzero(np.isfinite(settled.skin_temp_c)).tolist() == [*range(90, 120), *range(220, 300)]
    assert (settled.q_temp == 0).sum() == 10
    assert np.flatnonzero(settled.reasons & BIT["NONWEAR"]).tolist() == list(range(120, 130))


def test_nothing_worn_nothing_donned() -> None:
    assert not donning(np.arange(5) * 10_000_000, np.zeros(5, bool)).any()
    assert donning(np.empty(0, np.int64), np.empty(0, bool)).size == 0
