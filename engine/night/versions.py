"""Versions of each device's calibration, from the still windows of its nights; each looks back only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.night.grid import EPOCH_US
from engine.night.signals.calibration import Fit, fit

LEAST_NIGHTS, MOST_NIGHTS, EVERY_NIGHTS = 7, 30, 7
"""A version rests on the last 7 to 30 nights of its device; 7 nights later the next one is due, once it is good."""


@dataclass(frozen=True, slots=True)
class Version:
    """In force from the end of the last night it rests on, whatever comes later: no night is judged by its future."""

    valid_from_us: int
    nights: int
    fit: Fit


def of_device(night: NDArray[np.int32], ts_us: NDArray[np.int64], still_g: NDArray[np.float64]) -> list[Version]:
    """All accepted versions of one device. night: (n,) ascending; ts_us: (n,) UTC µs; still_g: (n, 3) g."""
    starts = np.append(np.flatnonzero(np.diff(night, prepend=night[:1] - np.ones(1, night.dtype))), len(night))
    made, stop = list[Version](), LEAST_NIGHTS
    while stop < len(starts):
        first = max(stop - MOST_NIGHTS, 0)
        rows = slice(starts[first], starts[stop])
        found = fit(still_g[rows])
        if found is not None:
            made.append(Version(int(ts_us[rows].max()) + EPOCH_US, stop - first, found))
        stop += 1 if found is None else EVERY_NIGHTS
    return made
