"""ADWIN, slowly: buckets are lists of values, and every mean is taken anew."""

from __future__ import annotations

import math
import statistics


def adwin(x, delta, every):  # type: ignore[no-untyped-def]
    alarms, widths, buckets = [], [], []
    for i, value in enumerate(x):
        alarms.append(0)
        buckets.append([float(value)])
        _merge(buckets)
        while (i + 1) % every == 0 and sum(map(len, buckets)) > 10:
            step = _apart(buckets, delta)
            if step is None:
                break
            alarms[-1] = 1 if step > 0 else -1
            del buckets[0]
        widths.append(sum(map(len, buckets)))
    return alarms, widths


def _merge(buckets):  # type: ignore[no-untyped-def]
    """Six buckets of one size: the two oldest of them become one."""
    size = 1
    while sum(len(bucket) == size for bucket in buckets) == 6:
        first = next(i for i, bucket in enumerate(buckets) if len(bucket) == size)
        buckets[first : first + 2] = [buckets[first] + buckets[first + 1]]
        size *= 2


def _apart(buckets, delta):  # type: ignore[no-untyped-def]
    window = [value for bucket in buckets for value in bucket]
    spread, variance = math.log(2 * math.log(len(window)) / delta), statistics.pvariance(window)
    for i in range(1, len(buckets)):
        older = [value for bucket in buckets[:i] for value in bucket]
        newer = window[len(older) :]
        if len(older) < 5 or len(newer) < 5:
            continue
        few = 1 / (len(older) - 4) + 1 / (len(newer) - 4)
        step = statistics.fmean(newer) - statistics.fmean(older)
        if abs(step) > math.sqrt(2 * few * variance * spread) + 2 / 3 * few * spread:
            return step
    return None
