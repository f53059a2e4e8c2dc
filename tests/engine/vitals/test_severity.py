from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.vitals.news2 import Observations, score
from engine.vitals.severity import MILD, MODERATE, SEVERE, Context, hold, severity


def _level(known: dict[str, Any], **context: Any) -> int:
    observed = Observations.of(**known)
    return int(severity(observed, score(observed), Context.of(len(observed), **context))[0])


def test_known_answer_h2() -> None:
    observed = Observations.of(
        sbp_mmhg=np.array([120.0, 110, 150, 128, 120]),
        spo2_pct=np.array([99.0, 99, 70, 98, 98]),
        hr_bpm=np.array([73.0, 75, 95, 78, 70]),
        temp_c=np.array([36.5, 36.7, 38.0, np.nan, 36.4]),
    )
    last_day = np.array([np.nan, 120.0, 110, 150, 128])
    context = Context.of(5, symptom=[False, True, True, False, False], sbp_last_day_mmhg=last_day)
    levels = severity(observed, score(observed), context)
    assert levels.tolist() == [MILD, MODERATE, SEVERE, MILD, MILD]
    assert hold(levels).tolist() == [MILD, MODERATE, SEVERE, MODERATE, MILD]


@pytest.mark.parametrize(
    ("known", "level"),
    [
        ({"hr_bpm": 72}, MILD),
        ({"hr_bpm": 40}, SEVERE),
        ({"hr_bpm": 41}, MILD),
        ({"hr_bpm": 130}, MILD),
        ({"hr_bpm": 130.5}, SEVERE),
        ({"sbp_mmhg": 90}, SEVERE),
        ({"sbp_mmhg": 90.5}, MILD),
        ({"sbp_mmhg": 219.5}, SEVERE),
        ({"temp_c": 35.0}, SEVERE),
        ({"temp_c": 35.05}, MILD),
        ({"temp_c": 39.94}, MILD),
        ({"temp_c": 39.95}, SEVERE),
        ({"rr_brpm": 30.4}, MODERATE),
        ({"rr_brpm": 31}, SEVERE),
        ({"spo2_pct": 90}, MODERATE),
        ({"spo2_pct": 89}, SEVERE),
        ({"spo2_pct": 89, "on_oxygen": 0}, SEVERE),
        ({"spo2_pct": 89, "on_oxygen": 1}, MODERATE),  # 3 + 2
        ({"spo2_pct": 91, "rr_brpm": 8}, SEVERE),  # two at 3
        ({"spo2_pct": 91, "rr_brpm": 24, "hr_bpm": 112}, SEVERE),  # 7
        ({"rr_brpm": 24, "hr_bpm": 112, "spo2_pct": 95}, MODERATE),  # 5, none at 3
        ({"rr_brpm": 24, "hr_bpm": 112}, MILD),  # 4
        ({"consciousness": "C"}, MODERATE),
        ({"spo2_pct": 95, "on_oxygen": None, "scale_2": True}, MILD),
        ({"hr_bpm": None}, -1),
    ],
)
def test_levels_of_one_observation(known: dict[str, Any], level: int) -> None:
    assert _level(known) == level


@pytest.mark.parametrize(
    ("known", "context", "level"),
    [
        ({"sbp_mmhg": 120}, {"sbp_last_day_mmhg": 160}, MODERATE),
        ({"sbp_mmhg": 121}, {"sbp_last_day_mmhg": 160}, MILD),
        ({"sbp_mmhg": 91}, {"sbp_last_day_mmhg": 130}, MODERATE),  # 30 %
        ({"sbp_mmhg": 92}, {"sbp_last_day_mmhg": 130}, MILD),
        ({"temp_c": 38.0}, {"fever_h": 72}, MODERATE),
        ({"temp_c": 38.0}, {"fever_h": 71}, MILD),
        ({"temp_c": 37.9}, {"fever_h": 72}, MILD),
        ({"rr_brpm": 18}, {"rr_own_brpm": 14}, MODERATE),
        ({"rr_brpm": 17.9}, {"rr_own_brpm": 14}, MILD),
        ({"hr_bpm": 72}, {"symptom": True}, MODERATE),
        ({"hr_bpm": None}, {"symptom": True}, MODERATE),
    ],
)
def test_trends_and_symptoms(known: dict[str, Any], context: dict[str, Any], level: int) -> None:
    assert _level(known, **context) == level


def test_falls_by_one_level_and_rises_at_once() -> None:
    assert hold(np.array([2, 0, 0, 2, 2, 1, 0])).tolist() == [2, 1, 0, 2, 2, 1, 0]
    assert hold(np.array([-1, 2, -1, -1, 0, 0])).tolist() == [-1, 2, 2, 2, 1, 0]
    assert hold(np.zeros(0, np.int64)).tolist() == []


def test_foreign_context_is_refused() -> None:
    with pytest.raises(TypeError, match="sbp_yesterday"):
        Context.of(1, sbp_yesterday=120)
