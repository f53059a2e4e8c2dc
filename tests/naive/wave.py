"""The wave of a window and the intervals of a night, slowly."""

from __future__ import annotations

import cmath
import math
from collections.abc import Sequence


def kurtosis(x: Sequence[float]) -> float:
    if not len(x):
        return math.nan
    mean = math.fsum(x) / len(x)
    variance = math.fsum((v - mean) ** 2 for v in x) / len(x)
    return math.fsum((v - mean) ** 4 for v in x) / len(x) / variance**2 if variance > 0 else math.nan


def crossings(x: Sequence[float]) -> int:
    count, before = 0, 0.0
    for v in x:
        if v == 0:
            continue
        count += before * v < 0
        before = v
    return count


def band_share(x: Sequence[float], fs_hz: float, low_hz: float, high_hz: float, top_hz: float) -> float:
    n = len(x)
    mean = math.fsum(x) / n if n else 0.0
    tapered = [(v - mean) * (0.5 - 0.5 * math.cos(2 * math.pi * i / n)) for i, v in enumerate(x)]
    inside = every = 0.0
    for k in range(n // 2 + 1):
        turned = [v * cmath.exp(-2j * math.pi * k * i / n) for i, v in enumerate(tapered)]
        power, hz = abs(sum(turned)) ** 2, k * fs_hz / n
        every += power if hz <= top_hz else 0.0
        inside += power if low_hz <= hz <= high_hz else 0.0
    return inside / every if every > 0 else math.nan


def steps_above(
    ibi_ms: Sequence[float], valid: Sequence[bool], limits_ms: tuple[float, ...]
) -> tuple[int, tuple[int, ...]]:
    steps = [abs(ibi_ms[i] - ibi_ms[i - 1]) for i in range(1, len(ibi_ms)) if valid[i] and valid[i - 1]]
    return len(steps), tuple(sum(step > limit + 1e-6 for step in steps) for limit in limits_ms)
