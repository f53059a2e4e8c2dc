"""Percentiles by linear interpolation (type 7), and the median: by NumPy's selection, two thirds of its sort's time for
a night of epochs, more than its sort's for an hour."""

from __future__ import annotations

import numpy as np

from kernels.arrays import Floats


def percentile(x: Floats, q: float) -> float:
    """The q-th percentile (0 to 100) of the values present; NaN where there is none.

    x: (n,) float64, NaN = missing. Linear interpolation between order statistics, Hyndman & Fan's type 7.

    >>> round(percentile(np.arange(50.0, 70.0, 2.0), 99.0), 9)
    67.82
    """
    return percentiles(x, q)[0]


def percentiles(x: Floats, *q: float) -> tuple[float, ...]:
    """Several percentiles as `percentile` gives each."""
    present = x[~np.isnan(x)]
    if not present.size:
        return (float("nan"),) * len(q)
    at = [(present.size - 1) * each / 100.0 for each in q]
    places = [(int(each), min(int(each) + 1, present.size - 1)) for each in at]
    present.partition(sorted({place for pair in places for place in pair}))
    found = [(float(present[below]), float(present[above])) for below, above in places]
    return tuple(low + (each - int(each)) * (high - low) for each, (low, high) in zip(at, found, strict=True))


def median(x: Floats) -> float:
    """Median of x: (n ≥ 1,) float64, none missing; of an even number the mean of two. Faster than NumPy's.

    >>> median(np.array([3.0, 1.0, 2.0, 5.0]))
    2.5
    """
    below, above = (x.size - 1) // 2, x.size // 2
    ordered = np.partition(x, (below, above))
    return 0.5 * float(ordered[below] + ordered[above])
