"""Slow and obvious twins of kernels/sums.py."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def gather(x: Floats, stride: int, count: int, row: Floats) -> list[float]:
    sums = []
    for i in range(count):
        total = 0.0
        for k, weight in enumerate(row.tolist()):
            total += weight * float(x[i + k * stride])
        sums.append(total)
    return sums


def sums_between(values: NDArray[np.int32], missing: int, bounds: list[int]) -> tuple[list[int], list[int]]:
    held = [[int(v) for v in values[low:high] if v != missing] for low, high in pairwise(bounds)]
    return [len(own) for own in held], [sum(own) for own in held]
