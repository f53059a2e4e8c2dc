"""How much of the light pulses, where the channel has a part that does not (DOMAIN D)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.night.grid import Grid
from engine.night.recording import Recording
from engine.night.signals.ppg import choose
from engine.night.signals.temperature import present_and_mean


def measure(recording: Recording, grid: Grid, pulse_amp: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) float64 %: 100 · mean beat peak − trough / mean of the unfiltered signal; NaN = missing.

    pulse_amp: (n,) of `ppg.measure`. All NaN without PPG or where its channel has no DC part (E4, EmbracePlus).
    """
    channel = choose(recording)
    if channel is None or not channel.info.get("has_dc"):
        return np.full(grid.n, np.nan)
    _, level = present_and_mean(channel, grid)
    level = level * channel.info.get("polarity", 1)
    result: NDArray[np.float64] = np.divide(100 * pulse_amp, level, out=np.full(grid.n, np.nan), where=level > 0)
    return result
