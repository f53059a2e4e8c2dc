"""From PPG samples to heart rate, variability and quality of each epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from engine.night.grid import EPOCH_S, EPOCH_US, Grid
from engine.night.reasons import BIT
from engine.night.recording import MISSING, Channel, Recording
from engine.night.signals.intervals import Beats, clean_intervals
from engine.night.signals.pulse_quality import MOST_LOST, STILL_MG, Parts, score, sure
from engine.night.signals.unbroken import Stretch, unbroken
from kernels.bandpass import bandpass, design
from kernels.beats import event_peaks, refine, scalogram_peaks
from kernels.pulse import epoch_pulse, flat_share, pulse_heights
from kernels.rates import epoch_rates

CHANNELS = ("bvp", "ppg_green", "ppg_ir", "ppg_red")  # the first that is there
LOW_HZ, HIGH_HZ = 0.5, 8.0
BLOCK_US, MARGIN_S, PAD_S = 60_000_000, 20.0, 3 / LOW_HZ
SHORTEST_S, MARKED_S = 10.0, 2.0  # a stretch, and its ends that give no beats
WINDOW_US, OVERLAP_S, COARSE_HZ = 6_000_000, 1.0, 20.0  # the first detector sees 8 s and keeps the 6 s in the middle
HRV_HZ, LEAST_HZ = 20.0, 5.0
FLAT_S = 0.5
AMPLITUDE_BEATS = 5
GOOD, SPARSE = 0.6, 0.7


@dataclass(frozen=True, slots=True)
class PulseEpochs:
    """What the PPG says of each epoch; arrays (n,) unless noted.

    hr_bpm, rmssd_ms, sdnn_ms, pulse_amp (unit of the channel): float64, NaN = missing. q_ppg, q_ibi: 0–1, never NaN.
    present: share of the epoch with samples; sat: share at the rail. no_pulse: the window fails F1's feasibility, as
    one without samples does. reasons: int64 bits of `reasons.BIT`. beats: of the whole recording; of each
    beat, (k,): heights, peak − trough of the band-passed wave; levels, the unfiltered wave at its peak; trusted, its
    interval is good enough for variability. parts: of q_ppg.
    """

    hr_bpm: NDArray[np.float64]
    rmssd_ms: NDArray[np.float64]
    sdnn_ms: NDArray[np.float64]
    pulse_amp: NDArray[np.float64]
    q_ppg: NDArray[np.float64]
    q_ibi: NDArray[np.float64]
    present: NDArray[np.float64]
    no_pulse: NDArray[np.bool_]
    sat: NDArray[np.float64]
    reasons: NDArray[np.int64]
    beats: Beats
    heights: NDArray[np.float64]
    levels: NDArray[np.float64]
    trusted: NDArray[np.bool_]
    parts: Parts


@dataclass(frozen=True, slots=True)
class Pulse:
    """One band-passed stretch. beats, others: fractional sample numbers that the first and the second detector found;
    t_us: time of `beats`; heights: their peak − trough, NaN for the first."""

    stretch: Stretch
    x: NDArray[np.float64]
    beats: NDArray[np.float64]
    others: NDArray[np.float64]
    t_us: NDArray[np.int64]
    heights: NDArray[np.float64]


def choose(recording: Recording) -> Channel | None:
    """The PPG channel to measure, or None."""
    return next((recording.channels[name] for name in CHANNELS if name in recording.channels), None)


@lru_cache(maxsize=32)
def _design(fs_hz: float) -> tuple[float, NDArray[np.float64]]:
    return design(fs_hz, LOW_HZ, HIGH_HZ if fs_hz / 2 >= 1.25 * HIGH_HZ else 0.4 * fs_hz)


def coarseness(fs_hz: float) -> int:
    """Every how manieth sample the first detector sees."""
    return max(1, round(fs_hz / COARSE_HZ))


def find_pulse(stretch: Stretch) -> Pulse:
    """Band-pass a stretch and find its beats. Every window lies on the UTC clock, and what the detectors see is counted
    from the segment's first sample, so that a cut or a lost sample is felt nearby only."""
    fs, n = stretch.fs_hz, len(stretch)
    blocks = stretch.edges(BLOCK_US)
    margin, pad = round(MARGIN_S * fs), min(round(PAD_S * fs), n - 1)
    x = bandpass(stretch.raw, stretch.scale, blocks, margin, pad, *_design(fs))
    stride = coarseness(fs)
    skip = -stretch.first % stride
    coarse = x[skip::stride].copy()
    windows = -((skip - stretch.edges(WINDOW_US)) // stride)
    first = scalogram_peaks(coarse, fs / stride, windows, round(OVERLAP_S * fs / stride))
    second = event_peaks(coarse, fs / stride, -((skip - blocks) // stride))
    marked = MARKED_S * fs
    fine = [refine(x, rough * stride + skip, (stride + 1) // 2, fs) for rough in (first, second)]
    beats, others = (b[(b >= marked) & (b < n - marked)] for b in fine)
    return Pulse(stretch, x, beats, others, stretch.time_us(beats), pulse_heights(x, beats))


def judge(pulses: Sequence[Pulse], grid: Grid) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of the epochs that a stretch fills: shape of the pulse, (5, n) as `epoch_pulse`, and flat share (n,)."""
    shape = np.full((5, grid.n), np.nan)
    shape[:2] = 0.0
    flat = np.zeros(grid.n)
    bounds_us = np.append(grid.ts_us, grid.end_us)
    for pulse in pulses:
        fs = pulse.stretch.fs_hz
        edges = pulse.stretch.first_at(bounds_us)
        full = np.flatnonzero(np.diff(edges) >= (1 - MOST_LOST) * EPOCH_S * fs)
        if len(full):
            low, high = int(full[0]), int(full[-1]) + 1
            mine = edges[low : high + 1]
            shape[:, low:high] = epoch_pulse(pulse.x, fs, mine, pulse.beats, pulse.others)
            flat[low:high] = flat_share(pulse.stretch.raw, mine, max(2, round(FLAT_S * fs)))
    return shape, flat


def _shares(channel: Channel, stretches: Sequence[Stretch], grid: Grid) -> tuple[NDArray[np.float64], ...]:
    """Share of each epoch with samples, and at the rail: two (n,) float64 in 0–1."""
    present, rail = np.zeros(grid.n), np.zeros(grid.n)
    bounds_us = np.append(grid.ts_us, grid.end_us)
    for stretch in stretches:
        present += np.diff(stretch.first_at(bounds_us)) / (EPOCH_S * stretch.fs_hz)
    low, high = channel.info.get("sat_low"), channel.info.get("sat_high")
    for segment in channel.segments if low is not None or high is not None else ():
        recorded = segment.values != MISSING
        at_rail = np.zeros(len(segment.values), np.bool_)
        if low is not None:
            at_rail |= recorded & (segment.values <= low)
        if high is not None:
            at_rail |= segment.values >= high
        epoch = grid.index(segment.t0_us + np.rint(np.flatnonzero(at_rail) * (1e6 / segment.fs_hz)).astype(np.int64))
        inside = epoch[(epoch >= 0) & (epoch < grid.n)]
        rail += np.bincount(inside, minlength=grid.n) / (EPOCH_S * segment.fs_hz)
    return np.minimum(present, 1.0), np.minimum(rail, 1.0)


def _amplitude(pulses: Sequence[Pulse], grid: Grid) -> NDArray[np.float64]:
    """Mean peak − trough of the beats of each epoch; NaN under AMPLITUDE_BEATS."""
    t_us = np.concatenate([np.empty(0, np.int64), *(p.t_us for p in pulses)])
    heights = np.concatenate([np.empty(0), *(p.heights for p in pulses)])
    epoch = grid.index(t_us)
    told = (epoch >= 0) & (epoch < grid.n) & np.isfinite(heights)
    count = np.bincount(epoch[told], minlength=grid.n)
    total = np.bincount(epoch[told], heights[told], minlength=grid.n)
    return np.where(count >= AMPLITUDE_BEATS, total / np.maximum(count, 1), np.nan)


def _in_epochs(t_us: NDArray[np.int64], chosen: NDArray[np.bool_], grid: Grid) -> NDArray[np.bool_]:
    """Whether each time lies in a chosen epoch: (k,) bool."""
    epoch = grid.index(t_us)
    inside = (epoch >= 0) & (epoch < grid.n)
    result = np.zeros(len(t_us), np.bool_)
    result[inside] = chosen[epoch[inside]]
    return result


def _reasons(
    channel: Channel | None, present: NDArray[np.float64], sat: NDArray[np.float64], q: NDArray[np.float64],
    q_ibi: NDArray[np.float64], enmo_mg: NDArray[np.float64],
) -> NDArray[np.int64]:  # fmt: skip
    """Bits of what stands against the pulse of each epoch: (n,) int64."""
    if channel is None:
        return np.full(len(q), BIT["SIG_MISSING"], np.int64)
    slow = any(s.fs_hz < HRV_HZ for s in channel.segments)
    bits: NDArray[np.int64] = np.full(len(q), BIT["LOW_FS"] if slow else 0, np.int64)
    bits |= np.where(q < GOOD, BIT["PPG_LOW"], 0) | np.where(q_ibi < SPARSE, BIT["IBI_SPARSE"], 0)
    moving = (enmo_mg > STILL_MG) & np.isfinite(enmo_mg)
    bits |= np.where(moving, BIT["MOTION"], 0) | np.where(sat > MOST_LOST, BIT["SAT"], 0)
    bits |= np.where(present < 1 - MOST_LOST, BIT["GAP"], 0)
    bits |= 0 if channel.info.get("has_dc") else BIT["NO_DC"]
    return bits


def measure(recording: Recording, grid: Grid, enmo_mg: NDArray[np.float64]) -> PulseEpochs:
    """Measure the pulse on a grid. Raises nothing of its own. enmo_mg: (n,) mean movement of each epoch; NaN = not
    recorded, taken as still; infinite = recorded but unusable, taken as movement.

    DOMAIN C1, C5, C6, D and F1. Variability takes intervals of surely good epochs of the grid only (`pulse_quality`),
    and q_ibi is their coverage. Below 20 Hz there is no variability (LOW_FS), below 5 Hz no pulse.
    """
    channel = choose(recording)
    stretches = list(unbroken(channel)) if channel is not None else []
    pulses = [find_pulse(s) for s in stretches if s.fs_hz >= LEAST_HZ and len(s) >= SHORTEST_S * s.fs_hz]
    beats = clean_intervals([p.t_us for p in pulses])
    shape, flat = judge(pulses, grid)
    present, sat = _shares(channel, stretches, grid) if channel is not None else (np.zeros(grid.n), np.zeros(grid.n))
    lost = np.maximum(np.maximum(1 - present, sat), flat)
    possible, even, correlation, agreement, skewness = shape
    parts = Parts(possible, even, correlation, agreement, skewness, np.zeros(grid.n), lost)
    trusted = beats.valid & _in_epochs(beats.t_us, sure(parts, enmo_mg), grid)
    if any(s.fs_hz < HRV_HZ for s in stretches):
        trusted[:] = False
    rates = epoch_rates(beats.t_us, beats.ibi_ms, beats.valid, trusted, grid.start_us, EPOCH_US, grid.n)
    hr_bpm, rmssd_ms, sdnn_ms, q_ibi, steady = rates
    parts = replace(parts, steady=steady)
    q_ppg = score(parts, enmo_mg)
    return PulseEpochs(
        hr_bpm=hr_bpm,
        rmssd_ms=rmssd_ms,
        sdnn_ms=sdnn_ms,
        pulse_amp=_amplitude(pulses, grid),
        q_ppg=q_ppg,
        q_ibi=q_ibi,
        present=present,
        no_pulse=~parts.feasible,
        sat=sat,
        reasons=_reasons(channel, present, sat, q_ppg, q_ibi, enmo_mg),
        beats=beats,
        heights=np.concatenate([np.empty(0), *(p.heights for p in pulses)]),
        levels=np.concatenate([np.empty(0), *(p.stretch.at(np.rint(p.beats).astype(np.int64)) for p in pulses)]),
        trusted=trusted,
        parts=parts,
    )
