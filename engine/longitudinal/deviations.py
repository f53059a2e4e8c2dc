"""How far each night is from what was usual for that person before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.longitudinal.features import PULSE, RATIO, Feature
from engine.longitudinal.nights import Nights
from engine.longitudinal.tables import FEW_NIGHTS, LEAST, MOST, NO_VALUE, RATIO_MOST, REASONS, REJECTED
from kernels.baseline import past_baseline

MAD_TO_SD = 1.4826
"""The standard deviation of a normal distribution, in median absolute deviations."""
TOLD = -1
"""Instead of the place of a reason: there is a deviation."""


@dataclass(frozen=True, slots=True)
class Deviations:
    """One feature over some nights. All are (n,); NaN = missing. oldest: row of the oldest night of the baseline, −1 =
    none; reason: place in `REASONS`, or `TOLD`."""

    value: NDArray[np.float64]
    count: NDArray[np.int64]
    oldest: NDArray[np.int64]
    median: NDArray[np.float64]
    mad: NDArray[np.float64]
    dev_z: NDArray[np.float64]
    reason: NDArray[np.int64]


def deviations(nights: Nights, feature: Feature) -> Deviations:
    """Nights of band C are compared but enter no baseline, those of band D do neither."""
    measured = nights.values(PULSE if feature.name == RATIO else feature.name)
    value = _ratio(nights, measured) if feature.name == RATIO else measured
    median, mad, count, oldest = past_baseline(value, nights.counts, nights.person, MOST, LEAST)
    dev_z = (value - median) / (MAD_TO_SD * np.maximum(mad, feature.floor))
    reason = np.select(
        [np.isnan(measured), nights.is_rejected, np.isnan(dev_z)],
        [REASONS.index(one) for one in (NO_VALUE, REJECTED, FEW_NIGHTS)],
        TOLD,
    )
    return Deviations(value, count, oldest, median, mad, np.where(reason == TOLD, dev_z, np.nan), reason)


def _ratio(nights: Nights, height: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) of the pulse's height to what it was; a height of 0 is no pulse."""
    usual, *_ = past_baseline(height, nights.counts, nights.person, RATIO_MOST, LEAST)
    ratio: NDArray[np.float64] = np.divide(height, usual, out=np.full(len(nights), np.nan), where=usual > 0)
    return ratio
