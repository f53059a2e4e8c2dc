"""Percentile by linear interpolation (type 7)."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit("f8(f8[::1], f8)", cache=True)
def percentile(x, q):  # type: ignore[no-untyped-def]
    """The q-th percentile (0 to 100) of the values present; NaN where there is none.

    x: (n,) float64, NaN = missing. Linear interpolation between order statistics, Hyndman & Fan's type 7.

    >>> round(percentile(np.arange(50.0, 70.0, 2.0), 99.0), 9)
    67.82
    """
    present = np.sort(x[~np.isnan(x)])
    if present.size == 0:
        return np.nan
    at = (present.size - 1) * q / 100.0
    below = int(at)
    above = min(below + 1, present.size - 1)
    return present[below] + (at - below) * (present[above] - present[below])
