"""Rolling median and angle, slowly."""

from __future__ import annotations

import itertools
import math

MISSING = -(2**31)


def rolling_median(values, half):  # type: ignore[no-untyped-def]
    out = []
    for i, value in enumerate(values):
        near = sorted(int(v) for v in values[max(i - half, 0) : i + half + 1] if v != MISSING)
        out.append(MISSING if value == MISSING else near[(len(near) - 1) // 2])
    return out


def angle_sums(x, y, z, scale, offset, bounds):  # type: ignore[no-untyped-def]
    sums, counts = [], []
    for low, high in itertools.pairwise(bounds):
        angles = []
        for i in range(low, high):
            raw = (int(x[i]), int(y[i]), int(z[i]))
            if MISSING not in raw:
                gx, gy, gz = (v * k + o for v, k, o in zip(raw, scale, offset, strict=True))
                angles.append(math.degrees(math.atan2(gz, math.hypot(gx, gy))))
        sums.append(sum(angles))
        counts.append(len(angles))
    return sums, counts
