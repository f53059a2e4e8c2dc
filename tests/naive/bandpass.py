"""The band-pass, one block and one sample after the other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def _forwards(x: list[float], sos: Floats, rest: Floats) -> list[float]:
    level = x[0]
    for (b0, b1, b2, a1, a2), state in zip(sos.tolist(), rest.tolist(), strict=True):
        z1, z2 = state[0] * level, state[1] * level
        out = []
        for value in x:
            y = b0 * value + z1
            z1 = b1 * value - a1 * y + z2
            z2 = b2 * value - a2 * y
            out.append(y)
        x = out
    return x


def bandpass(x: Floats, edges: NDArray[np.int64], margin: int, pad: int, sos: Floats, rest: Floats) -> Floats:
    span = int(np.diff(edges).max(initial=0)) + 2 * margin
    y = []
    for start, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        low, high = start - margin, start - margin + span
        left = [2 * x[0] - x[k] for k in range(pad, 0, -1)] if low <= 0 else []
        right = [2 * x[-1] - x[-1 - k] for k in range(1, pad + 1)] if high >= len(x) else []
        block = left + x[max(low, 0) : high].tolist() + right
        block = _forwards(_forwards(block, sos, rest)[::-1], sos, rest)[::-1]
        first = len(left) + start - max(low, 0)
        y += block[first : first + end - start]
    return np.array(y, dtype=np.float64)
