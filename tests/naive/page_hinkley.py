"""Page–Hinkley, slowly: after each value everything is summed up again."""

from __future__ import annotations

import math


def page_hinkley(x, delta, threshold, least, forgetting):  # type: ignore[no-untyped-def]
    alarms, held = [], []
    for value in x:
        alarms.append(0)
        if math.isnan(value):
            continue
        held.append(float(value))
        if len(held) < least:
            continue
        up, down = _sums(held, -delta, forgetting), _sums(held, delta, forgetting)
        if up[-1] - min(up) > threshold:
            alarms[-1] = 1
        elif max(down) - down[-1] > threshold:
            alarms[-1] = -1
        if alarms[-1]:
            held = []
    return alarms


def _sums(values, extra, forgetting):  # type: ignore[no-untyped-def]
    """The sum before the first value, and after each."""
    sums = [0.0]
    for i, value in enumerate(values):
        mean = sum(values[: i + 1]) / (i + 1)
        sums.append(forgetting * sums[-1] + value - mean + extra)
    return sums
