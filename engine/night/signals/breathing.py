"""Breathing rate of each epoch from what breath does to the pulse (DOMAIN D)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from engine.night.grid import EPOCH_US, Grid
from engine.night.reasons import BIT
from engine.night.signals.intervals import spans
from engine.night.signals.ppg import GOOD, PulseEpochs
from kernels.bandpass import bandpass, design
from kernels.respiration import count_breaths, fuse, resample

HZ, TICK_US = 4.0, 250_000
LOW_HZ, HIGH_HZ = 0.1, 0.6  # 6 to 36 breaths a minute: adults at rest
BLOCK, MARGIN = 240, 80  # ticks: a minute on the UTC clock, and 20 s on both sides or of reflection at an end
WINDOW = 128  # ticks: 32 s
ALIASING = 0.45  # of the heart rate: beats cannot show a faster breath


@dataclass(frozen=True, slots=True)
class Breathing:
    """rr_brpm: (n,) float64, NaN = missing. rr_n: (n,) int8, how many of the three ways agree on it, −1 where none.
    reasons: (n,) int64 bits of why a good pulse has none."""

    rr_brpm: NDArray[np.float64]
    rr_n: NDArray[np.int8]
    reasons: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Run:
    """Beats low … high − 1 without a long hole: n ticks of the UTC clock from `first`. epochs: whose window lies in
    them; starts: where each window begins."""

    low: int
    high: int
    first: int
    n: int
    epochs: NDArray[np.int64]
    starts: NDArray[np.int64]


@lru_cache(maxsize=1)
def _design() -> tuple[float, NDArray[np.float64]]:
    return design(HZ, LOW_HZ, HIGH_HZ)


def measure(pulse: PulseEpochs, grid: Grid) -> Breathing:
    """Three rates by window of 32 s — height of the unfiltered peak (RIIV), peak − trough (RIAV), interval (RIFV) —
    and their fusion, where the epoch's pulse is good and the rate is under 0.45 of the heart's."""
    three = modulation_rates(pulse, grid)
    fused, number = fuse(three)
    good = pulse.q_ppg >= GOOD
    possible = fused < ALIASING * pulse.hr_bpm
    told = good & possible
    bits = np.where(good & ~told & (number >= 2), BIT["RR_UNSURE"], 0)
    return Breathing(np.where(told, fused, np.nan), np.where(told, number, -1).astype(np.int8), bits.astype(np.int64))


def modulation_rates(pulse: PulseEpochs, grid: Grid) -> NDArray[np.float64]:
    """(3, n) float64: breaths a minute by RIIV, RIAV and RIFV; NaN where the pulse is poor or normal beats do not fill
    the window."""
    rates = np.full((3, grid.n), np.nan)
    beats = pulse.beats
    used = np.flatnonzero(beats.valid & np.isfinite(pulse.heights))
    t_us, ibi_ms = beats.t_us[used], beats.ibi_ms[used]
    runs = list(_runs(t_us, ibi_ms, grid, pulse.q_ppg >= GOOD))
    if not runs:
        return rates
    series = np.stack([pulse.levels[used], pulse.heights[used], ibi_ms])
    x = np.empty(3 * sum(run.n + 2 * MARGIN for run in runs))
    edges, starts, cells, start = [np.zeros(1, np.int64)], [], [], 0
    for run in runs:
        size, chosen = run.n + 2 * MARGIN, slice(run.low, run.high)
        parts = start + size * np.arange(3)[:, None]  # where each way's ticks begin in x
        part, start = x[start : start + 3 * size].reshape(3, size), start + 3 * size
        resample(t_us[chosen], series[:, chosen], run.first * TICK_US, TICK_US, MARGIN, part)
        inner = np.arange(MARGIN + BLOCK - run.first % BLOCK, MARGIN + run.n, BLOCK)
        edges.append((parts + np.concatenate([[MARGIN], inner, [MARGIN + run.n, size]])).ravel())
        starts.append((parts + MARGIN + run.starts).ravel())
        cells.append((grid.n * np.arange(3)[:, None] + run.epochs).ravel())
    y = bandpass(x, 1.0, np.concatenate(edges), MARGIN, MARGIN, *_design())
    rates.reshape(-1)[np.concatenate(cells)] = count_breaths(y, HZ, np.concatenate(starts), WINDOW)
    return rates


def _runs(t_us: NDArray[np.int64], ibi_ms: NDArray[np.float64], grid: Grid, good: NDArray[np.bool_]) -> Iterator[_Run]:
    """The runs that fill the window of a good epoch."""
    each = EPOCH_US // TICK_US
    origin = grid.start_us // TICK_US + (each - WINDOW) // 2  # of the first epoch's window
    for low, high in spans(t_us, ibi_ms):
        first, last = -(-int(t_us[low]) // TICK_US), int(t_us[high - 1]) // TICK_US
        lowest = max(-(-(first - origin) // each), 0)
        epochs = lowest + np.flatnonzero(good[lowest : max((last + 1 - WINDOW - origin) // each + 1, lowest)])
        if len(epochs):
            yield _Run(low, high, first, last + 1 - first, epochs, origin + each * epochs - first)
