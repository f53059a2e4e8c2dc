"""When the heart beats: a rate that follows sleep, movement and breath, integrated until each whole beat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.simulate.plan import Person, Schedule, asleep
from engine.simulate.wrist import Poses, unrest_at

GRID_HZ = 8
AWAKE_BPM = 10.0
MOVING_BPM = 8.0


@dataclass(frozen=True, slots=True)
class Heart:
    """beats_s: (n,) s since the start of the recording, worn or not. breaths: (d·GRID_HZ + 1,) breaths drawn since the
    start, at multiples of 1/GRID_HZ s."""

    beats_s: NDArray[np.float64]
    breaths: NDArray[np.float64]

    def breaths_at(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """(k,) breaths drawn until each time, in s since the start."""
        return np.interp(times_s, np.arange(len(self.breaths)) / GRID_HZ, self.breaths)


def beat(person: Person, schedule: Schedule, poses: Poses, rng: np.random.Generator) -> Heart:
    """Every heart beat of a recording, and the breath that it follows."""
    times = np.arange(schedule.duration_s * GRID_HZ + 1) / GRID_HZ
    course = _course(person, schedule, poses, times, rng)
    rhythm, breaths = _rhythm(person, times, rng)
    rate = course / (1 + rhythm)
    phase = np.concatenate([[0.0], np.cumsum((rate[1:] + rate[:-1]) / 2 / 60 / GRID_HZ)])
    beats = np.interp(np.arange(1, np.floor(phase[-1])), phase, times)
    # A beat's own displacement of s changes two intervals: sd √2·s each.
    beats = np.sort(beats + rng.normal(0, person.jitter_ms / 1000 / np.sqrt(2), len(beats)))
    return Heart(beats[(beats > 0) & (beats < schedule.duration_s)], breaths)


def _course(
    person: Person, schedule: Schedule, poses: Poses, times: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """(n,) bpm: the slow part. Falls after sleep onset, lowest in its last third, with waves of about 90 minutes."""
    span = schedule.sleep.end_s - schedule.sleep.start_s
    share = np.clip((times - schedule.sleep.start_s) / span, 0, 1)
    circadian = 3.0 * np.cos(2 * np.pi * (share - 0.7))
    cycles = 1.5 * np.sin(2 * np.pi * times / rng.uniform(4800, 6000) + rng.uniform(0, 2 * np.pi))
    wander = smooth(rng.normal(0, 1, schedule.duration_s // 10 + 2), 12)
    wander = 1.5 * np.interp(times, np.arange(len(wander)) * 10.0, wander)
    seconds = np.arange(schedule.duration_s + 1, dtype=np.float64)
    awake = np.where(asleep(schedule, seconds), 0.0, AWAKE_BPM)
    moving = np.where(smooth(unrest_at(poses, seconds), 10) > 0.02, MOVING_BPM, 0.0)
    arousal = np.interp(times, seconds, relax(awake, 120.0) + relax(moving, 15.0))
    return person.sleep_hr_bpm + 4.0 - circadian + cycles + wander + arousal


def _rhythm(
    person: Person, times: NDArray[np.float64], rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Relative change of the interval by breath, whose rate wanders, and by the slower rhythm near 0.1 Hz; and the
    breaths drawn until then: (n,) each."""
    wander = smooth(rng.normal(0, 1, int(times[-1]) // 5 + 2), 12)
    breath_hz = person.breaths_per_min / 60 * (1 + 0.06 * np.interp(times, np.arange(len(wander)) * 5.0, wander))
    breaths = np.cumsum(breath_hz) / GRID_HZ
    depth = np.interp(times, np.arange(len(wander)) * 5.0, 1 + 0.15 * smooth(rng.normal(0, 1, len(wander)), 24))
    slow = np.sin(2 * np.pi * np.cumsum(0.1 + 0.01 * np.roll(depth - 1, 997)) / GRID_HZ)
    base_ms = 60000 / person.sleep_hr_bpm
    swing = person.rsa_ms * depth * np.sin(2 * np.pi * breaths)
    rhythm: NDArray[np.float64] = (swing + person.drift_ms * slow) / base_ms
    return rhythm, breaths


def smooth(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Running mean over `width` samples, scaled so that white noise keeps its standard deviation; same length."""
    total = np.cumsum(np.concatenate([np.full(width // 2 + 1, 0.0), values, np.zeros(width - width // 2)]))
    scaled: NDArray[np.float64] = (total[width : width + len(values)] - total[: len(values)]) / np.sqrt(width)
    return scaled


def relax(target: NDArray[np.float64], tau_s: float) -> NDArray[np.float64]:
    """A course at 1 Hz that follows `target` with time constant tau_s (first-order low-pass, no look-ahead)."""
    course = np.empty_like(target)
    keep = np.exp(-1 / tau_s)
    now = float(target[0])
    for i, goal in enumerate(target.tolist()):
        now = goal + (now - goal) * keep
        course[i] = now
    return course
