"""Grouped median and angle, slowly."""

from __future__ import annotations

import itertools
import math
import statistics

MISSING = -(2**31)


def grouped_median(values):  # type: ignore[no-untyped-def]
    """By the standard library, which takes the upper step where the middle lies between two; here it is the lower."""
    ordered = sorted(int(v) for v in values)
    lower = ordered[(len(ordered) - 1) // 2]
    if sum(v <= lower for v in ordered) * 2 == len(ordered):
        return lower + 0.5
    return statistics.median_grouped(ordered)


def slot_angles(x, y, z, scale, offset, bounds):  # type: ignore[no-untyped-def]
    angles, counts = [], []
    for low, high in itertools.pairwise(bounds):
        rows = [(int(x[i]), int(y[i]), int(z[i])) for i in range(low, high)]
        rows = [row for row in rows if MISSING not in row]
        counts.append(len(rows))
        if not rows:
            angles.append(0.0)
            continue
        medians = [grouped_median(axis) for axis in zip(*rows, strict=True)]
        gx, gy, gz = (v * k + o for v, k, o in zip(medians, scale, offset, strict=True))
        angles.append(math.degrees(math.atan2(gz, math.hypot(gx, gy))))
    return angles, counts
