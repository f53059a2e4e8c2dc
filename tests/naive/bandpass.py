"""The band-pass, one block and one sample after the other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def _forwards(x: list[float], feedback: Floats) -> list[float]:
    x2, x1 = x[0], x[0]
    v2, v1, u2, u1, w2, w1 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    (a1, a2), (d1, d2) = feedback.tolist()
    out = []
    for value in x:
        v = value - x2
        u = (v - v2 - a2 * u2) - a1 * u1
        w = (u - d2 * w2) - d1 * w1
        x2, x1, v2, v1, u2, u1, w2, w1 = x1, value, v1, v, u1, u, w1, w
        out.append(w)
    return out


def bandpass(x: Floats, edges: NDArray[np.int64], margin: int, pad: int, gain: float, feedback: Floats) -> Floats:
    span = int(np.diff(edges).max(initial=0)) + 2 * margin
    x = x * (gain * gain)
    y = []
    for start, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        low, high = start - margin, start - margin + span
        left = [2 * x[0] - x[k] for k in range(pad, 0, -1)] if low <= 0 else []
        right = [2 * x[-1] - x[-1 - k] for k in range(1, pad + 1)] if high >= len(x) else []
        block = left + x[max(low, 0) : high].tolist() + right
        block = _forwards(_forwards(block, feedback)[::-1], feedback)[::-1]
        first = len(left) + start - max(low, 0)
        y += block[first : first + end - start]
    return np.array(y, dtype=np.float64)
