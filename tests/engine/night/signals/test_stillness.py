from __future__ import annotations

import numpy as np
import pytest

from engine.night.signals.stillness import HOUR_SLOTS, change_deg, hdcza, sustained_inactivity, threshold_deg
from kernels.wear import runs

DAY = 24 * HOUR_SLOTS
ONSET, END = 11 * HOUR_SLOTS, 19 * HOUR_SLOTS


def _day(seed: int):  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(seed)
    angle = rng.normal(0, 20, DAY)
    slots = np.arange(END - ONSET)
    angle[ONSET:END] = 10 + 10 * (slots // 240 % 2) + rng.normal(0, 0.02, len(slots))
    return angle


@pytest.mark.parametrize("seed", range(4))
def test_known_answer_b4(seed: int) -> None:
    angle, all_day = _day(seed), np.ones(DAY, bool)
    threshold = threshold_deg(angle, all_day)
    assert threshold == pytest.approx(0.27, abs=0.03)
    starts, ends = hdcza(angle, all_day, threshold)
    assert starts.tolist() == [pytest.approx(ONSET, abs=12)]
    assert ends.tolist() == [pytest.approx(END, abs=12)]


def test_a_static_vector_gives_the_lowest_threshold() -> None:
    assert threshold_deg(np.full(DAY, 30.0), np.ones(DAY, bool)) == 0.13


def test_a_restless_day_gives_the_highest() -> None:
    assert threshold_deg(np.random.default_rng(0).normal(0, 20, DAY), np.ones(DAY, bool)) == 0.5


@pytest.mark.parametrize(("minutes", "found"), [(29, False), (31, True)])
def test_a_still_block_is_longer_than_half_an_hour(minutes: int, found: bool) -> None:
    angle = np.random.default_rng(0).normal(0, 20, 2 * HOUR_SLOTS)
    angle[300 : 300 + minutes * 12] = 5.0
    starts, _ = hdcza(angle, np.ones(len(angle), bool), 0.2)
    assert bool(len(starts)) == found


@pytest.mark.parametrize(("minutes", "blocks"), [(58, 1), (62, 2)])
def test_gaps_under_an_hour_are_filled(minutes: int, blocks: int) -> None:
    gap = minutes * 12
    angle = np.full(2 * HOUR_SLOTS + gap, 5.0)
    angle[HOUR_SLOTS : HOUR_SLOTS + gap] = np.random.default_rng(0).normal(0, 20, gap)
    starts, _ = hdcza(angle, np.ones(len(angle), bool), 0.2)
    assert len(starts) == blocks


def test_time_not_worn_is_not_still() -> None:
    angle = np.full(2 * HOUR_SLOTS, 5.0)
    assert len(hdcza(angle, np.zeros(len(angle), bool), 0.2)[0]) == 0


def test_missing_angles_are_not_still() -> None:
    assert np.isnan(change_deg(np.full(100, np.nan))).all()
    assert len(hdcza(np.full(2 * HOUR_SLOTS, np.nan), np.ones(2 * HOUR_SLOTS, bool), 0.2)[0]) == 0


def test_bouts_lie_between_posture_changes_more_than_five_minutes_apart() -> None:
    angle = np.concatenate([np.full(60, 0.0), np.full(61, 10.0), np.full(181, 20.0), np.full(180, 10.0)])
    asleep, long = sustained_inactivity(angle)
    assert [asleep[:60].any(), asleep[60:121].all(), asleep[121:302].all(), asleep[302:].all()] == [
        False,
        True,
        True,
        True,
    ]
    assert [long[60:121].any(), long[121:].all()] == [False, True]


def test_five_degrees_are_no_posture_change() -> None:
    angle = np.repeat([0.0, 5.0, 0.0], 40)
    assert sustained_inactivity(angle)[0].all()


def test_a_missing_angle_bounds_a_bout_and_is_not_asleep() -> None:
    angle = np.full(130, 3.0)
    angle[50] = np.nan
    asleep, _ = sustained_inactivity(angle)
    assert not asleep[:51].any()
    assert asleep[52:].all()


def _still_runs(angle):  # type: ignore[no-untyped-def]
    return [end - start for start, end in zip(*runs(change_deg(angle) < 0.2), strict=True)]


def test_a_still_block_of_exactly_half_an_hour_is_none() -> None:
    found = {}
    for slots in range(330, 400):
        angle = np.random.default_rng(0).normal(0, 20, 2 * HOUR_SLOTS)
        angle[300 : 300 + slots] = 5.0
        found[max(_still_runs(angle))] = len(hdcza(angle, np.ones(len(angle), bool), 0.2)[0])
    assert (found[360], found[361]) == (0, 1)


def test_a_gap_of_exactly_an_hour_is_none_between_blocks() -> None:
    found = {}
    for slots in range(HOUR_SLOTS - 30, HOUR_SLOTS + 30):
        angle = np.full(2 * HOUR_SLOTS + slots, 5.0)
        angle[HOUR_SLOTS : HOUR_SLOTS + slots] = np.random.default_rng(0).normal(0, 20, slots)
        gap = len(angle) - sum(_still_runs(angle)) - 1  # the first slot has no change before it
        found[gap] = len(hdcza(angle, np.ones(len(angle), bool), 0.2)[0])
    assert (found[HOUR_SLOTS - 1], found[HOUR_SLOTS]) == (1, 2)
