"""Slow and obvious twins of kernels/sums.py."""

from __future__ import annotations

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
