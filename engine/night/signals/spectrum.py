"""Low- and high-frequency power of the intervals (DOMAIN D): five minutes around each minute, held over its epochs.

From wrist PPG these are of the pulse rate, and their ratio is no balance of the nervous system.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.night.grid import Grid
from engine.night.signals.intervals import BRIDGED_S, spans
from engine.night.signals.ppg import PulseEpochs
from kernels.tachogram import lomb, spline, tapered

MINUTE_US, MARGIN_US = 60_000_000, 15_000_000  # blocks of the spline
HZ, TICK_US = 4.0, 250_000
A_MINUTE = MINUTE_US // TICK_US
WINDOW_S, SEGMENT_S, SEGMENTS = 300, 150, 3
WINDOW, SEGMENT = int(WINDOW_S * HZ), int(SEGMENT_S * HZ)
HELD = int(BRIDGED_S * HZ)  # ticks that a window may reach beyond the first and the last beat
LOW_HZ, MIDDLE_HZ, HIGH_HZ = 0.04, 0.15, 0.40
LEAST_COVERAGE, REGULAR_COVERAGE = 0.8, 0.9
AT_ONCE = 32  # windows whose segments stay in the cache: 16 alike, 8 and 64 an eighth slower, 512 by two thirds
TAPER = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(SEGMENT) / SEGMENT)  # Hann
SCALE = 2 / (HZ * (TAPER**2).sum()) / SEGMENT_S / SEGMENTS  # of a squared line of its transform
LOW_LINE, MIDDLE_LINE, HIGH_LINE = (round(edge * SEGMENT_S) for edge in (LOW_HZ, MIDDLE_HZ + 0.5 / SEGMENT_S, HIGH_HZ))

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Spectrum:
    """lf_ms2, hf_ms2, hrv_ratio: (n,) float64, NaN = missing."""

    lf_ms2: Floats
    hf_ms2: Floats
    hrv_ratio: Floats


def measure(pulse: PulseEpochs, grid: Grid) -> Spectrum:
    """Powers where trusted intervals cover 80 % of the five minutes without a hole over 5 s.

    Welch (Hann, 150 s, half overlapping, each segment freed of its line) on a 4-Hz cubic spline from 90 % on, else
    Lomb–Scargle on the intervals.
    """
    used = np.flatnonzero(pulse.trusted)
    t_us, ibi_ms = pulse.beats.t_us[used], pulse.beats.ibi_ms[used]
    first = grid.start_us // MINUTE_US
    powers = np.full((2, (grid.end_us - 1) // MINUTE_US + 1 - first if grid.n else 0), np.nan)
    if len(used):
        _powers(t_us, ibi_ms, first, powers)
    lf, hf = powers[:, grid.ts_us // MINUTE_US - first]
    return Spectrum(lf, hf, np.divide(lf, hf, out=np.full(grid.n, np.nan), where=hf > 0))


def _powers(t_us: Ints, ibi_ms: Floats, first: int, powers: Floats) -> None:
    """Powers of the minutes (from `first` on) whose five lie in one run of intervals: writes (2, minutes)."""
    low, high = np.array(spans(t_us, ibi_ms)).T
    begin, end = -(-t_us[low] // TICK_US) - HELD, t_us[high - 1] // TICK_US + 1 + HELD  # ticks of each run
    origin = (MINUTE_US * first + MINUTE_US // 2) // TICK_US - WINDOW // 2  # tick at which the first's five begin
    run, minutes = _within(begin - origin, end - origin, powers.shape[1])
    begin_us = (origin + A_MINUTE * minutes) * TICK_US
    places = np.searchsorted(t_us, [begin_us, begin_us + WINDOW_S * 1_000_000])
    so_far_us = np.cumsum(np.rint(1000 * np.append(0.0, ibi_ms)).astype(np.int64))  # exact: a sum forgets nothing
    coverage = np.minimum((so_far_us[places[1]] - so_far_us[places[0]]) / (WINDOW_S * 1e6), 1.0)
    regular = coverage >= REGULAR_COVERAGE
    x, shift = [np.empty(0)], np.zeros(len(low), np.int64)  # runs one after the other; from a tick to its place there
    for r in np.unique(run[regular]).tolist():
        shift[r] = sum(map(len, x)) - begin[r]
        own, size = slice(low[r], high[r]), end[r] - begin[r]
        x.append(spline(t_us[own], ibi_ms[own], begin[r] * TICK_US, TICK_US, size, MINUTE_US, MARGIN_US))
    starts = origin + A_MINUTE * minutes + shift[run]
    powers[:, minutes[regular]] = welch(np.concatenate(x), starts[regular])
    for w in np.flatnonzero((coverage >= LEAST_COVERAGE) & ~regular).tolist():
        own = slice(places[0, w], places[1, w])
        powers[:, minutes[w]] = scargle((t_us[own] - begin_us[w]) / 1e6, ibi_ms[own])


def _within(begin: Ints, end: Ints, n: int) -> tuple[Ints, Ints]:
    """Runs and minutes (0 … n − 1) of the windows that lie in one run: (k,) each. Minute m's begins at tick m·A_MINUTE;
    begin, end: ticks of each run, half-open."""
    lowest = np.maximum(-(-begin // A_MINUTE), 0)
    count = np.maximum(np.minimum((end - WINDOW) // A_MINUTE + 1, n) - lowest, 0)
    run = np.repeat(np.arange(len(begin)), count)
    return run, np.arange(len(run)) + (lowest - np.cumsum(count) + count)[run]


def welch(x: Floats, starts: Ints) -> Floats:
    """(2, m) low and high power of the windows of x that begin at `starts`. x: (n,) at HZ; unit of x squared."""
    found = np.empty((2, len(starts)))
    for at in range(0, len(starts), AT_ONCE):
        parts = tapered(x, starts[at : at + AT_ONCE], SEGMENT // 2, TAPER)
        lines = np.fft.rfft(parts)[:, :, LOW_LINE:HIGH_LINE]
        power = SCALE * (lines.real**2 + lines.imag**2).sum(axis=1)
        found[0, at : at + AT_ONCE] = power[:, : MIDDLE_LINE - LOW_LINE].sum(axis=1)
        found[1, at : at + AT_ONCE] = power[:, MIDDLE_LINE - LOW_LINE :].sum(axis=1)
    return found


def scargle(t_s: Floats, values: Floats) -> tuple[float, float]:
    """Low and high power of intervals of one window. t_s: (k,) s from its start."""
    low, middle, high = (round(edge * WINDOW_S) for edge in (LOW_HZ, MIDDLE_HZ, HIGH_HZ))
    power = lomb(t_s, values, float(WINDOW_S), low, high)
    return float(power[: middle - low].sum()), float(power[middle - low :].sum())
