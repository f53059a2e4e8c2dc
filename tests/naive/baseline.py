"""What was usual before, slowly."""

from __future__ import annotations

import math
import statistics


def past_baseline(x, usable, person, most, least):  # type: ignore[no-untyped-def]
    rows = [_row(i, x, usable, person, most, least) for i in range(len(x))]
    return tuple(list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [], [])


def _row(i, x, usable, person, most, least):  # type: ignore[no-untyped-def]
    before = [j for j in range(i) if person[j] == person[i] and usable[j] and not math.isnan(x[j])][-most:]
    values = [float(x[j]) for j in before]
    oldest = before[0] if before else -1
    if len(values) < least:
        return math.nan, math.nan, len(values), oldest
    median = statistics.median(values)
    return median, statistics.median([abs(value - median) for value in values]), len(values), oldest
