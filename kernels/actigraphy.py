"""Sleep or wake from activity counts a minute: two published scores that weigh a minute with its neighbours."""

from __future__ import annotations

import numpy as np
from numba import njit

COLE_KRIPKE_ASLEEP_BELOW = 1.0
SADEH_ASLEEP_FROM = 0.0
"""One vendor uses more than −4."""
CAP = 300.0

_WEIGHTS = np.array([106.0, 54.0, 58.0, 76.0, 230.0, 74.0, 67.0])
_BEFORE, _AFTER = 4, 2
_HALF = 5


@njit("f8[:](f8[::1])", cache=True)
def cole_kripke(activity):  # type: ignore[no-untyped-def]
    """Score of each minute: asleep below 1. activity, result: (n,) float64.

    Activity of an ActiGraph is its counts divided by 100 and at most 300, as is usual. The score weighs four
    minutes before and two after; NaN where one of them is missing (NaN) or outside the series.
    Source: Cole 1992, 10.1093/sleep/15.5.461.

    >>> cole_kripke(np.full(7, 2.0)).round(3).tolist()
    [nan, nan, nan, nan, 1.33, nan, nan]
    """
    out = np.full(activity.size, np.nan)
    for i in range(_BEFORE, activity.size - _AFTER):
        total = 0.0
        for k in range(_WEIGHTS.size):
            total += _WEIGHTS[k] * activity[i - _BEFORE + k]
        out[i] = 0.001 * total
    return out


@njit("f8[:](f8[::1])", cache=True)
def sadeh(counts):  # type: ignore[no-untyped-def]
    """Score of each minute: asleep from 0. counts, result: (n,) float64; counts over 300 are taken as 300.

    Of 11 minutes: their mean, how many have 50 to under 100 counts, the deviation (n−1) of the first six and the
    logarithm of the middle one. NaN where one of the eleven is missing (NaN) or outside the series.
    Source: Sadeh 1994, 10.1093/sleep/17.3.201.

    >>> float(sadeh(np.zeros(11))[5])
    7.601
    """
    out = np.full(counts.size, np.nan)
    capped = np.minimum(counts, CAP)
    for i in range(_HALF, counts.size - _HALF):
        total, middling = 0.0, 0
        for k in range(i - _HALF, i + _HALF + 1):
            total += capped[k]
            middling += 50.0 <= capped[k] < 100.0
        mean, squares = capped[i - _HALF : i + 1].sum() / (_HALF + 1), 0.0
        for k in range(i - _HALF, i + 1):
            squares += (capped[k] - mean) ** 2
        spread = np.sqrt(squares / _HALF)
        out[i] = 7.601 - 0.065 * total / (2 * _HALF + 1) - 1.08 * middling - 0.056 * spread
        out[i] -= 0.703 * np.log(capped[i] + 1.0)
    return out
