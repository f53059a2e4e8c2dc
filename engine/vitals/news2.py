"""NEWS2 (Royal College of Physicians 2017; DOMAIN H1): the score of one observation, or of many at once.

What is unknown is never scored 0: the total exists only where all seven parameters are known; otherwise there are the
sum of the known ones, how many they are, and the bounds between which the total lies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Scores = NDArray[np.int64]

PARAMETERS = ("rr_brpm", "spo2_pct", "on_oxygen", "sbp_mmhg", "hr_bpm", "alert", "temp_c")
MOST = np.array([3, 3, 2, 3, 3, 3, 3])
"""The highest score of each of `PARAMETERS`."""
UNKNOWN = -1
YOUNGEST_YEARS = 16
_STEPS = {  # upper ends of the rounded value, and the score up to each; the last score is for all above
    "rr_brpm": ((8, 11, 20, 24), (3, 1, 0, 2, 3)),
    "spo2_pct": ((91, 93, 95), (3, 2, 1, 0)),
    "sbp_mmhg": ((90, 100, 110, 219), (3, 2, 1, 0, 3)),
    "hr_bpm": ((40, 50, 90, 110, 130), (3, 1, 0, 1, 2, 3)),
    "temp_c": ((350, 360, 380, 390), (3, 1, 0, 1, 2)),  # tenths
}
_SCALE_2 = ((83, 85, 87, 92), (3, 2, 1, 0, 0))
_SCALE_2_ON_OXYGEN = ((83, 85, 87, 92, 94, 96), (3, 2, 1, 0, 1, 2, 3))
_DECIMAL = 1e-9  # 38.05 °C is a hair below itself in binary, and still to be rounded up


class Band(StrEnum):
    """Clinical response, in ascending order."""

    LOW = "low"
    LOW_MEDIUM = "low_medium"
    MEDIUM = "medium"
    HIGH = "high"


BANDS = tuple(Band)


@dataclass(frozen=True, slots=True)
class Observations:
    """Any number of observations, (n,) float64 each, NaN = unknown.

    on_oxygen and alert: 1 = yes, 0 = no (new confusion, or responsive to voice or pain only, or not at all). temp_c is
    the body's core, never a wearable's skin. scale_2: (n,) bool, hypercapnic failure as set by a clinician.
    """

    rr_brpm: Floats
    spo2_pct: Floats
    on_oxygen: Floats
    sbp_mmhg: Floats
    hr_bpm: Floats
    alert: Floats
    temp_c: Floats
    scale_2: NDArray[np.bool_]

    @classmethod
    def of(cls, **known: Any) -> Observations:
        """From what is known: scalars or arrays of one length, None or NaN = unknown. TypeError on a foreign name.

        `consciousness` (one of A, C, V, P, U, or None, or a sequence of them) may stand for `alert`.

        >>> Observations.of(hr_bpm=72, consciousness="V").alert
        array([0.])
        """
        if "consciousness" in known:
            known["alert"] = _alert(known.pop("consciousness"))
        foreign = known.keys() - {f.name for f in fields(cls)}
        if foreign:
            raise TypeError(f"no parameter of NEWS2: {', '.join(sorted(foreign))}")
        scale_2 = np.atleast_1d(np.asarray(known.pop("scale_2", False), np.bool_))
        columns = [np.atleast_1d(np.asarray(known.get(name, np.nan), np.float64)) for name in PARAMETERS]
        *same, scale_2 = np.broadcast_arrays(*columns, scale_2)
        return cls(**dict(zip(PARAMETERS, same, strict=True)), scale_2=scale_2)

    def __len__(self) -> int:
        return len(self.hr_bpm)


@dataclass(frozen=True, slots=True)
class News2:
    """The scores of n observations, (n,) int64 unless named otherwise.

    scores: (n, 7), columns as `PARAMETERS`, −1 = unknown. total: −1 unless all seven are known. partial: sum of the
    known = least possible total. at_most: largest possible total. n_params: known parameters. band, band_at_most: place
    in `BANDS` by partial and at_most; they are equal where the total is known. single_three: bool, one known
    parameter or more at 3. assumed: names of parameters that were declared, not measured.
    """

    scores: Scores
    total: Scores
    partial: Scores
    at_most: Scores
    n_params: Scores
    band: Scores
    band_at_most: Scores
    single_three: NDArray[np.bool_]
    assumed: tuple[str, ...] = ()


def applies(age_years: float, pregnant: bool) -> bool:
    """NEWS2 is for adults of 16 and more who are not pregnant."""
    return age_years >= YOUNGEST_YEARS and not pregnant


def assume(observed: Observations, declared: Mapping[str, float]) -> tuple[Observations, tuple[str, ...]]:
    """Fill unknowns with declared values; also the names to hand to `score`, so that the assumption is on record.

    Raises `TypeError` on a foreign name.

    >>> filled, names = assume(Observations.of(hr_bpm=72), {"on_oxygen": 0, "alert": 1})
    >>> score(filled, names).n_params, names
    (array([3]), ('alert', 'on_oxygen'))
    """
    foreign = set(declared) - set(PARAMETERS)
    if foreign:
        raise TypeError(f"no parameter of NEWS2: {', '.join(sorted(foreign))}")
    filled = {}
    for name, value in declared.items():
        held = getattr(observed, name)
        filled[name] = np.where(np.isnan(held), float(value), held)
    return replace(observed, **filled), tuple(sorted(declared))


def score(observed: Observations, assumed: tuple[str, ...] = ()) -> News2:
    """Score observations; see `News2`. Inputs are rounded first, half up: temperature to 0.1, the others to integers.

    On scale 2, saturation of 93 % or more cannot be scored without knowing of oxygen: it counts as unknown.
    """
    scores = np.stack([_parameter(name, observed) for name in PARAMETERS], axis=1)
    unknown = scores == UNKNOWN
    most = np.where(unknown, MOST, scores)
    high_on_scale_2 = observed.scale_2 & unknown[:, 1] & ~np.isnan(observed.spo2_pct)
    most[:, 1] = np.where(high_on_scale_2, _by_steps(rounded(observed.spo2_pct), *_SCALE_2_ON_OXYGEN), most[:, 1])
    partial, at_most = np.where(unknown, 0, scores).sum(axis=1), most.sum(axis=1)
    three = (scores == 3).any(axis=1)
    return News2(
        scores=scores,
        total=np.where(unknown.any(axis=1), UNKNOWN, partial),
        partial=partial,
        at_most=at_most,
        n_params=(~unknown).sum(axis=1),
        band=_band(partial, three),
        band_at_most=_band(at_most, (most == 3).any(axis=1)),
        single_three=three,
        assumed=assumed,
    )


def rounded(values: Floats, per_unit: int = 1) -> Floats:
    """Nearest multiple of 1/per_unit, half up, as an integer number of them; NaN stays.

    >>> rounded(np.array([95.5, 38.04, 38.05]), 10).tolist(), rounded(np.array([95.5, -0.5])).tolist()
    ([955.0, 380.0, 381.0], [96.0, 0.0])
    """
    return np.floor(values * per_unit + 0.5 + _DECIMAL) + 0.0


def _parameter(name: str, observed: Observations) -> Scores:
    """(n,) int64 score of one parameter, −1 = unknown."""
    values: Floats = getattr(observed, name)
    if name in ("on_oxygen", "alert"):
        scored = np.where(values != 0, 2, 0) if name == "on_oxygen" else np.where(values == 0, 3, 0)
    else:
        values = rounded(values, 10 if name == "temp_c" else 1)
        scored = _by_steps(values, *_STEPS[name])
    if name == "spo2_pct":
        on_oxygen = observed.on_oxygen != 0  # NaN is: then it matters from 93 % only, and is unknown there
        second = np.where(on_oxygen, _by_steps(values, *_SCALE_2_ON_OXYGEN), _by_steps(values, *_SCALE_2))
        scored = np.where(observed.scale_2, second, scored)
        values = np.where(observed.scale_2 & (values >= 93) & np.isnan(observed.on_oxygen), np.nan, values)
    result: Scores = np.where(np.isnan(values), UNKNOWN, scored).astype(np.int64)
    return result


def _by_steps(values: Floats, upper: tuple[int, ...], scores: tuple[int, ...]) -> Scores:
    place = np.searchsorted(np.array(upper, np.float64), values, side="left")  # NaN: the last, whatever that means
    result: Scores = np.array(scores, np.int64)[place]
    return result


def _band(total: Scores, three: NDArray[np.bool_]) -> Scores:
    return np.select([total >= 7, total >= 5, three], [3, 2, 1], 0)


def _alert(consciousness: Any) -> Floats:
    letters = np.atleast_1d(np.asarray(consciousness, object))
    wrong = [letter for letter in letters.tolist() if letter is not None and letter not in tuple("ACVPU")]
    if wrong:
        raise TypeError(f"consciousness is one of A, C, V, P, U or None, not {wrong[0]!r}")
    return np.array([np.nan if letter is None else float(letter == "A") for letter in letters.tolist()])
