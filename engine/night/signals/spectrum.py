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
WINDOW_S, SEGMENT_S, SEGMENTS = 300, 150, 3
WINDOW, SEGMENT = int(WINDOW_S * HZ), int(SEGMENT_S * HZ)
HELD = int(BRIDGED_S * HZ)  # ticks that a window may reach beyond the first and the last beat
LOW_HZ, MIDDLE_HZ, HIGH_HZ = 0.04, 0.15, 0.40
LEAST_COVERAGE, REGULAR_COVERAGE = 0.8, 0.9
AT_ONCE = 32  # windows whose segments stay in the cache
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
    whole_us = np.rint(1000 * ibi_ms).astype(np.int64)
    so_far_us = np.concatenate([[0], np.cumsum(whole_us)])  # exact: a sum forgets nothing
    for low, high in spans(t_us, ibi_ms):
        _run(t_us[low:high], ibi_ms[low:high], so_far_us[low:], first, powers)
    lf, hf = powers[:, grid.ts_us // MINUTE_US - first]
    return Spectrum(lf, hf, np.divide(lf, hf, out=np.full(grid.n, np.nan), where=hf > 0))


def _run(t_us: Ints, ibi_ms: Floats, so_far_us: Ints, first: int, powers: Floats) -> None:
    """Powers of the minutes (from `first` on) whose five lie in one run of intervals: writes (2, minutes)."""
    tick = -(-int(t_us[0]) // TICK_US) - HELD
    n = int(t_us[-1]) // TICK_US + 1 + HELD - tick
    if n < WINDOW:
        return
    origin = (MINUTE_US * first + MINUTE_US // 2) // TICK_US - WINDOW // 2 - tick
    a_minute = MINUTE_US // TICK_US
    minutes = np.arange(max(-(origin // a_minute), 0), min((n - WINDOW - origin) // a_minute + 1, powers.shape[1]))
    if not len(minutes):
        return
    starts = origin + a_minute * minutes
    begin_us = (tick + starts) * TICK_US
    places = np.searchsorted(t_us, [begin_us, begin_us + WINDOW_S * 1_000_000])
    coverage = np.minimum((so_far_us[places[1]] - so_far_us[places[0]]) / (WINDOW_S * 1e6), 1.0)
    regular = np.flatnonzero(coverage >= REGULAR_COVERAGE)
    if len(regular):
        x = spline(t_us, ibi_ms, tick * TICK_US, TICK_US, n, MINUTE_US, MARGIN_US)
        powers[:, minutes[regular]] = welch(x, starts[regular])
    for w in np.flatnonzero((coverage >= LEAST_COVERAGE) & (coverage < REGULAR_COVERAGE)).tolist():
        own = slice(places[0, w], places[1, w])
        powers[:, minutes[w]] = scargle((t_us[own] - begin_us[w]) / 1e6, ibi_ms[own])


def welch(x: Floats, starts: Ints) -> Floats:
    """(2, m) low and high power of the windows of x that begin at `starts`. x: (n,) at HZ; unit of x squared."""
    found = np.empty((2, len(starts)))
    for at in range(0, len(starts), AT_ONCE):
        parts = tapered(x, starts[at : at + AT_ONCE], SEGMENTS, SEGMENT // 2, TAPER)
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
