"""Percentile of type 7, slowly."""

from __future__ import annotations

import math


def percentile(x, q):  # type: ignore[no-untyped-def]
    values = sorted(float(v) for v in x if not math.isnan(v))
    if not values:
        return math.nan
    place = (len(values) - 1) * q / 100
    low, high = values[math.floor(place)], values[math.ceil(place)]
    return low + (place - math.floor(place)) * (high - low)
