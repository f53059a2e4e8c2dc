"""From skin temperature samples to a mean and a slope of each epoch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.night.grid import EPOCH_S, EPOCH_US, Grid
from engine.night.recording import MISSING, Channel
from kernels.edges import first_samples
from kernels.smooth import lowpass
from kernels.sums import sums_between

CHANNEL = "skin_temp"
LOW_C, HIGH_C = 20.0, 42.0
LEAST_SHARE = 0.5
STEADY_C_PER_MIN = 0.5
LOWPASS_HZ = 0.005
PADDING = round(3 / LOWPASS_HZ / EPOCH_S)
EPOCHS_A_MINUTE = 60 / EPOCH_S


@dataclass(frozen=True, slots=True)
class TemperatureEpochs:
    """(n,) float64 an epoch. mean_c: NaN under half of the samples; slope_c_per_min: of the low-passed mean.

    steady: 1.0 where the mean is in range and differs from both neighbours by at most 0.5 °C/min, else 0.0.
    present: share of samples recorded. lost: bool, no mean though one was due: a sensor slower than an epoch has its
    last value until the next is due.
    """

    mean_c: NDArray[np.float64]
    slope_c_per_min: NDArray[np.float64]
    steady: NDArray[np.float64]
    present: NDArray[np.float64]
    lost: NDArray[np.bool_]


def present_and_mean(channel: Channel, grid: Grid) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Share of samples present and their mean, (n,) each, for a slow channel. The mean is NaN where there is none."""
    count, total, expected = np.zeros(grid.n), np.zeros(grid.n), np.zeros(grid.n)
    for segment in channel.segments:
        first, last = ((t_us - grid.start_us) // EPOCH_US for t_us in (segment.t0_us, segment.end_us - 1))
        low, high = max(first, 0), min(last + 1, grid.n)
        if high <= low:
            continue
        start_us = grid.start_us + low * EPOCH_US
        edges = first_samples(segment.t0_us, segment.fs_hz, len(segment.values), start_us, EPOCH_US, high - low)
        present, sums = sums_between(segment.values, MISSING, edges)
        count[low:high] += present
        total[low:high] += sums
        expected[low:high] = np.maximum(expected[low:high], segment.fs_hz * EPOCH_S)
    mean = np.where(count > 0, total / np.maximum(count, 1) * channel.scale + channel.offset, np.nan)
    return np.minimum(count / np.maximum(expected, 1e-9), 1.0), mean


def measure(channel: Channel | None, grid: Grid) -> TemperatureEpochs | None:
    """Temperature of each epoch (DOMAIN D, F2); None where the channel is absent."""
    if channel is None:
        return None
    present, mean = present_and_mean(channel, grid)
    mean_c = np.where(present >= LEAST_SHARE, mean, np.nan)
    smooth = lowpass(mean_c, LOWPASS_HZ * EPOCH_S, PADDING)
    step_s = min((1 / segment.fs_hz for segment in channel.segments), default=0.0)
    return TemperatureEpochs(mean_c, _slope(smooth), _steady(mean_c), present, _lost(mean_c, step_s))


def _lost(mean_c: NDArray[np.float64], step_s: float) -> NDArray[np.bool_]:
    known, at = np.isfinite(mean_c), np.arange(len(mean_c))
    last = np.maximum.accumulate(np.where(known, at, -np.inf))
    result: NDArray[np.bool_] = ~known & (at - last >= step_s / EPOCH_S)
    return result


def _slope(smooth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Central difference in °C/min, one-sided at the ends of a run."""
    step = np.diff(smooth) * EPOCHS_A_MINUTE
    sides = np.stack([np.concatenate([step, [np.nan]]), np.concatenate([[np.nan], step])])
    known = ~np.isnan(sides)
    total = np.where(known, sides, 0.0).sum(0)
    result: NDArray[np.float64] = np.where(known.any(0), total / np.maximum(known.sum(0), 1), np.nan)
    return result


def _steady(mean_c: NDArray[np.float64]) -> NDArray[np.float64]:
    """Both neighbours are needed, so that taking samples away never makes an epoch steadier."""
    step = np.abs(np.diff(mean_c)) * EPOCHS_A_MINUTE <= STEADY_C_PER_MIN
    both = np.concatenate([[False], step]) & np.concatenate([step, [False]])
    result: NDArray[np.float64] = (both & (mean_c >= LOW_C) & (mean_c <= HIGH_C)).astype(np.float64)
    return result
