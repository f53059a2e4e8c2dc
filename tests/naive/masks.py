"""Flat runs and still windows, spelled out."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

Raw = NDArray[np.int32]


def flat_runs(x: Raw, y: Raw, z: Raw, missing: int, shortest: int) -> list[list[int]]:
    found, begin = [], 0
    for (first, *_), group in itertools.groupby(zip(x.tolist(), y.tolist(), z.tolist(), strict=True)):
        end = begin + len(list(group))
        if end - begin >= shortest and first != missing:
            found.append([begin, end])
        begin = end
    return found


def still_norms(
    x: Raw, y: Raw, z: Raw, missing: int, window: int, scale: float, offset: float, most_sd: float
) -> NDArray[np.float64]:
    norms = []
    for begin in range(0, len(x) - window + 1, window):
        raw = np.array([axis[begin : begin + window] for axis in (x, y, z)])
        physical = raw * scale + offset
        norm = float(np.linalg.norm(physical.mean(axis=1)))
        still = not (raw == missing).any() and physical.std(axis=1).max() < most_sd * norm
        norms.append(norm if still else np.nan)
    return np.array(norms)


def count_outside(values: Raw, missing: int, low: float, high: float) -> int:
    return sum(value != missing and not low < value < high for value in values.tolist())
