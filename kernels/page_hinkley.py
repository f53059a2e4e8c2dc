"""Page–Hinkley: a lasting change of a mean, told as soon as the sum of deviations is too far from its extreme.

Page 1954, 10.1093/biomet/41.1-2.100; Hinkley 1971, 10.1093/biomet/58.3.509.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit("i8[:](f8[::1], f8, f8, i8, f8)", cache=True)
def page_hinkley(x, delta, threshold, least, forgetting):  # type: ignore[no-untyped-def]
    """(n,) int64: 1 where an alarm of a rise is given, −1 of a fall, else 0. After an alarm all begins anew.

    x: (n,) float64, NaN = missing and passed over. delta: change that is none; threshold: of the sum of deviations from
    the running mean, both in units of x; least: values before the first alarm; forgetting: factor of the sums a step.

    >>> x = np.repeat([0.0, 1.0], 200)
    >>> np.flatnonzero(page_hinkley(x, 0.005, 50.0, 30, 0.9999))[:1].tolist()
    [257]
    """
    alarms = np.zeros(x.size, np.int64)
    count, mean = 0, 0.0
    up, down, lowest, highest = 0.0, 0.0, 0.0, 0.0
    for i in range(x.size):
        if np.isnan(x[i]):
            continue
        count += 1
        mean += (x[i] - mean) / count
        up = forgetting * up + (x[i] - mean - delta)
        down = forgetting * down + (x[i] - mean + delta)
        lowest, highest = min(lowest, up), max(highest, down)
        if count < least:
            continue
        if up - lowest > threshold:
            alarms[i] = 1
        elif highest - down > threshold:
            alarms[i] = -1
        if alarms[i] != 0:
            count, mean = 0, 0.0
            up, down, lowest, highest = 0.0, 0.0, 0.0, 0.0
    return alarms
