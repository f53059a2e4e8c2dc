"""Rates of epochs, window by window."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def epoch_rates(
    t_us: NDArray[np.int64],
    ibi_ms: NDArray[np.float64],
    valid: NDArray[np.bool_],
    sure: NDArray[np.bool_],
    start_us: int,
    step_us: int,
    n: int,
) -> NDArray[np.float64]:
    out = np.full((5, n), np.nan)
    for epoch in range(n):
        centre = start_us + epoch * step_us + step_us // 2

        def inside(seconds: int, centre: int = centre) -> NDArray[np.bool_]:
            return (t_us >= centre - seconds * 500_000) & (t_us < centre + seconds * 500_000)

        nn = ibi_ms[inside(30) & valid]
        if len(nn) >= 7 and nn.sum() >= 15_000:
            out[0, epoch] = 60_000 / np.median(nn)
        steady = nn[np.abs(nn - np.median(nn)) <= 0.15 * np.median(nn)].sum() if len(nn) else 0.0
        out[4, epoch] = min(steady / 30_000, 1.0)
        window = np.flatnonzero(inside(60))
        covered = ibi_ms[window][sure[window]].sum()
        pairs = [i for i in window[1:] if sure[i] and sure[i - 1]]
        if len(pairs) >= 30 and covered >= 42_000:
            out[1, epoch] = np.sqrt(np.mean([(ibi_ms[i] - ibi_ms[i - 1]) ** 2 for i in pairs]))
        out[3, epoch] = min(covered / 60_000, 1.0)
        nn = ibi_ms[inside(300) & sure]
        if len(nn) >= 100 and nn.sum() >= 210_000:
            out[2, epoch] = np.std(nn, ddof=1)
    return out
