"""The last values with the own one, slowly."""

from __future__ import annotations

import math
import statistics


def recent(x, person, most, least):  # type: ignore[no-untyped-def]
    median, mad = [], []
    for i in range(len(x)):
        held = [float(x[j]) for j in range(i + 1) if person[j] == person[i] and not math.isnan(x[j])][-most:]
        told = not math.isnan(x[i]) and len(held) >= least
        median.append(statistics.median(held) if told else math.nan)
        mad.append(statistics.median([abs(one - median[i]) for one in held]) if told else math.nan)
    return median, mad
