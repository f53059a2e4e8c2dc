"""Median and spread of the last values up to and with each one: what a causal Hampel filter judges it by.

Hampel 1974, Journal of the American Statistical Association 69:383.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit("UniTuple(f8[::1], 2)(f8[::1], i8[::1], i8, i8)", cache=True)
def recent(x, person, most, least):  # type: ignore[no-untyped-def]
    """Median and median absolute deviation of a person's last `most` present values, each one's own included.

    x: (n,) float64, NaN = missing; person: (n,) int64, equal numbers lie together, each person's rows in order of time;
    1 ≤ least ≤ most. Returns (n,) float64 each, in x's unit; NaN where x is missing or fewer than `least` are there.
    """
    median, mad = np.full(x.size, np.nan), np.full(x.size, np.nan)
    held = np.empty(most)
    count = 0
    for i in range(x.size):
        if i > 0 and person[i] != person[i - 1]:
            count = 0
        if np.isnan(x[i]):
            continue
        held[count % most] = x[i]
        count += 1
        if count >= least:
            window = held[: min(count, most)]
            median[i] = np.median(window)
            mad[i] = np.median(np.abs(window - median[i]))
    return median, mad
