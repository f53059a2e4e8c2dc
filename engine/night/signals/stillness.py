"""Stillness of the wrist's posture: van Hees' two heuristics on angles of the z axis every five seconds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.night.signals.motion import SLOT_US
from kernels.percentile import percentile
from kernels.rolling import rolling_median
from kernels.wear import runs

SLOTS_A_MINUTE = 60_000_000 // SLOT_US
HOUR_SLOTS = 60 * SLOTS_A_MINUTE
FIVE_MINUTES = 5 * SLOTS_A_MINUTE
THRESHOLD_FACTOR, THRESHOLD_LOW_DEG, THRESHOLD_HIGH_DEG = 15.0, 0.13, 0.50
FIXED_THRESHOLD_DEG = 0.20
STILL_SLOTS, GAP_SLOTS = 30 * SLOTS_A_MINUTE, 60 * SLOTS_A_MINUTE
POSTURE_DEG = 5.0


def change_deg(angle: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) float64 °: five-minute rolling median of the absolute difference of successive angles. NaN under half."""
    step = np.abs(np.diff(angle, prepend=np.nan))
    result: NDArray[np.float64] = rolling_median(step, FIVE_MINUTES // 2, FIVE_MINUTES // 2 - 1, FIVE_MINUTES // 2)
    return result


def threshold_deg(angle: NDArray[np.float64], inside: NDArray[np.bool_]) -> float:
    """15 × the 10th percentile of the change in the noon-to-noon window, within 0.13° to 0.50°."""
    tenth = percentile(change_deg(angle)[inside], 10.0)
    return float(np.clip(THRESHOLD_FACTOR * tenth, THRESHOLD_LOW_DEG, THRESHOLD_HIGH_DEG))


def hdcza(
    angle: NDArray[np.float64], worn: NDArray[np.bool_], threshold: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Starts and ends (slots) of still blocks: longer than 30 min each, joined over gaps shorter than 60 min.

    angle: (n,) ° every 5 s, NaN = missing; worn: (n,) bool. Source: van Hees 2018, 10.1038/s41598-018-31266-z.
    """
    still = (change_deg(angle) < threshold) & worn
    starts, ends = runs(still)
    kept = ends - starts > STILL_SLOTS
    return joined(starts[kept], ends[kept], GAP_SLOTS - 1)


def sustained_inactivity(angle: NDArray[np.float64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(n,) bool each: the slot lies between posture changes more than 5 min apart; and more than 15 min apart.

    A posture change is a step of more than 5° between successive slots; a missing angle bounds a bout as one does.
    Source: van Hees 2015, 10.1371/journal.pone.0142533.
    """
    step = np.abs(np.diff(angle, prepend=np.nan))
    change = np.flatnonzero(~(step <= POSTURE_DEG))
    length = np.diff(np.append(change, len(angle)))  # the first slot has none before it: a change
    here = np.repeat(length, length)
    present = np.isfinite(angle)
    return present & (here > FIVE_MINUTES), present & (here >= 3 * FIVE_MINUTES)


def joined(
    starts: NDArray[np.int64], ends: NDArray[np.int64], longest_gap: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    apart = starts[1:] - ends[:-1] > longest_gap
    first = np.concatenate([np.full(min(len(starts), 1), True), apart])
    last = np.concatenate([apart, np.full(min(len(ends), 1), True)])
    return starts[first], ends[last]
