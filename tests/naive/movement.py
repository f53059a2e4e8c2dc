"""Movement, slowly: each epoch from the list of its samples."""

from __future__ import annotations

import math
import statistics

MISSING = -(2**31)


def samples(x, y, z, scale, offset, low, high):  # type: ignore[no-untyped-def]
    raw = [(int(x[i]), int(y[i]), int(z[i])) for i in range(low, high)]
    raw = [vector for vector in raw if MISSING not in vector]
    return raw, [tuple(v * k + o for v, k, o in zip(vector, scale, offset, strict=True)) for vector in raw]


def epoch(x, y, z, scale, offset, low, high, clip_g):  # type: ignore[no-untyped-def]
    """Σ‖a‖, Σ max(‖a‖ − 1, 0), Σ |‖a‖ − mean|, then the fourteen integers."""
    raw, physical = samples(x, y, z, scale, offset, low, high)
    norms = [math.sqrt(sum(g * g for g in vector)) for vector in physical]
    mean = statistics.fmean(norms) if norms else 0.0
    clipped = sum(max(abs(g) for g in vector) >= clip_g for vector in physical)
    axes = [[vector[axis] for vector in raw] for axis in range(3)]
    integers = [
        len(raw),
        clipped,
        *(sum(axis) for axis in axes),
        *(sum(v * v for v in axis) for axis in axes),
        *(min(axis, default=2**31) for axis in axes),
        *(max(axis, default=MISSING) for axis in axes),
    ]
    return sum(norms), sum(max(r - 1, 0) for r in norms), sum(abs(r - mean) for r in norms), integers
