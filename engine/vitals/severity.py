"""Three-level severity (DOMAIN H2): NEWS2, critical values, trends and symptoms, held when they get better."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.vitals.news2 import UNKNOWN, News2, Observations, rounded

Floats = NDArray[np.float64]
Levels = NDArray[np.int64]
SBP_FALL_MMHG, SBP_FALL_SHARE = 40.0, 0.3
FEVER_HOURS = 72.0
RR_RISE_BRPM = 4.0
FEVER_C = 38.0


class Severity(StrEnum):
    """In ascending order."""

    MILD = "mild"
    MODERATE = "moderate"
    SEVERE = "severe"


SEVERITIES = tuple(Severity)
MILD, MODERATE, SEVERE = range(3)


@dataclass(frozen=True, slots=True)
class Context:
    """What is known besides the observation, (n,) each, NaN = unknown.

    sbp_last_day_mmhg: of the day before. fever_h: for how long the temperature has been 38.0 °C or more. rr_own_brpm:
    the subject's own median. symptom: bool, a red-flag symptom was reported.
    """

    sbp_last_day_mmhg: Floats
    fever_h: Floats
    rr_own_brpm: Floats
    symptom: NDArray[np.bool_]

    @classmethod
    def of(cls, n: int, symptom: Any = False, **known: Any) -> Context:
        """For n observations, from what is known: scalars or arrays, None or NaN = unknown. TypeError on others."""
        foreign = known.keys() - {"sbp_last_day_mmhg", "fever_h", "rr_own_brpm"}
        if foreign:
            raise TypeError(f"no context of a severity: {', '.join(sorted(foreign))}")
        last, fever, own = (
            np.broadcast_to(np.asarray(known.get(name, np.nan), np.float64), (n,))
            for name in ("sbp_last_day_mmhg", "fever_h", "rr_own_brpm")
        )
        return cls(last, fever, own, np.broadcast_to(np.asarray(symptom, np.bool_), (n,)))


def severity(observed: Observations, news2: News2, context: Context | None = None) -> Levels:
    """(n,) int64: place in `SEVERITIES`, of each observation by itself; −1 where nothing at all is known.

    Unknown parameters are taken neither for normal nor for abnormal: the level is the least that what is known allows.
    """
    context = context or Context.of(len(observed))
    threes = (news2.scores == 3).sum(axis=1)
    severe = (news2.partial >= 7) | (threes >= 2) | critical(observed)
    moderate = (news2.partial >= 5) | (threes == 1) | worsening(observed, context) | context.symptom
    level = np.select([severe, moderate], [SEVERE, MODERATE], MILD)
    nothing = (news2.n_params == 0) & ~context.symptom & np.isnan(observed.spo2_pct)
    result: Levels = np.where(nothing, UNKNOWN, level).astype(np.int64)
    return result


def critical(observed: Observations) -> NDArray[np.bool_]:
    """(n,) bool: a value that is severe by itself. Saturation counts unless oxygen is known to be given."""
    spo2, rr, hr = rounded(observed.spo2_pct), rounded(observed.rr_brpm), rounded(observed.hr_bpm)
    sbp, tenths = rounded(observed.sbp_mmhg), rounded(observed.temp_c, 10)
    on_air = (observed.on_oxygen == 0) | np.isnan(observed.on_oxygen)
    result: NDArray[np.bool_] = (
        ((spo2 < 90) & on_air)
        | (rr > 30)
        | ((hr <= 40) | (hr >= 131))
        | ((sbp <= 90) | (sbp >= 220))
        | ((tenths <= 350) | (tenths >= 400))
    )
    return result


def worsening(observed: Observations, context: Context) -> NDArray[np.bool_]:
    """(n,) bool: blood pressure fell, fever lasts, or breathing is faster than the subject's own."""
    last = context.sbp_last_day_mmhg
    fall = last - observed.sbp_mmhg
    fell = (fall >= SBP_FALL_MMHG) | (fall >= SBP_FALL_SHARE * last)
    feverish = (rounded(observed.temp_c, 10) >= FEVER_C * 10) & (context.fever_h >= FEVER_HOURS)
    result: NDArray[np.bool_] = fell | feverish | (observed.rr_brpm - context.rr_own_brpm >= RR_RISE_BRPM)
    return result


def hold(levels: Levels) -> Levels:
    """(n,) int64: one subject's successive evaluations; a rise counts at once, a fall by one level an evaluation.

    An evaluation without any knowledge (−1) leaves the level where it was.

    >>> hold(np.array([0, 2, 0, 0, 0])).tolist()
    [0, 2, 1, 0, 0]
    """
    held = np.empty_like(levels)
    now = UNKNOWN
    for i, level in enumerate(levels.tolist()):
        now = now if level == UNKNOWN else max(level, now - 1)
        held[i] = now
    return held
