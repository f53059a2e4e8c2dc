"""Which samples of a regular signal lie in the slots of a grid."""

from __future__ import annotations

import numpy as np
from numba import njit

from kernels.arrays import Ints


@njit("i8[::1](i8, f8, i8, i8, i8, i8)", cache=True)
def first_samples(t0_us: int, fs_hz: float, size: int, start_us: int, step_us: int, slots: int) -> Ints:
    """(slots + 1,) int64: of each edge the first sample at or after it, 0 … size; a sample on an edge is what follows'.

    Sample i was taken at t0_us + i·1e6/fs_hz, i < size; edge k is start_us + k·step_us. Edges are late by 1e-6 samples,
    since times are rounded. A kernel, since a recording may come in hundreds of pieces: NumPy takes 10 µs for each.

    >>> first_samples(1_000_000, 2.0, 10, 0, 2_000_000, 3).tolist()
    [0, 2, 6, 10]
    """
    found = np.empty(slots + 1, np.int64)
    for k in range(slots + 1):
        place = np.ceil((start_us + k * step_us - t0_us) * (fs_hz / 1e6) - 1e-6)
        found[k] = np.int64(min(max(place, 0.0), float(size)))
    return found
