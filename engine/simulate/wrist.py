"""How the wrist moves: a sequence of poses, held for minutes in sleep and for seconds awake, and the unrest in each."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from engine.simulate.plan import Schedule, asleep, inside

ACC_HZ = 32
LSB_PER_G = 64
REST_LSB = 0.3
"""Standard deviation of a device that lies still, before rounding; real still windows show 0.2–0.5."""
TURN_S = 1.0
"""Longest time to go from one pose to the next."""


@dataclass(frozen=True, slots=True)
class Poses:
    """Pose i lasts from start_s[i] to start_s[i + 1]: start_s: (k,) s; gravity: (k, 3) g, unit length;
    unrest: (k,) standard deviation of the acceleration in g, 0 = still."""

    start_s: NDArray[np.float64]
    gravity: NDArray[np.float64]
    unrest: NDArray[np.float64]


def pose(schedule: Schedule, rng: np.random.Generator) -> Poses:
    """Draw the poses of one recording."""
    starts = _boundaries(schedule, rng)
    middle = starts + 0.5
    away = inside(schedule.off_wrist, middle)
    calm = asleep(schedule, middle)
    lengths = np.diff(starts, append=schedule.duration_s)
    restless = ~away & (~calm | (lengths < 60))
    unrest = np.where(restless, rng.lognormal(np.log(0.06), 0.6, len(starts)).clip(0.01, 0.4), 0.0)
    gravity = _directions(len(starts), rng)
    gravity[away] = (0.0, 0.03, 1.0)
    return Poses(starts, gravity / np.linalg.norm(gravity, axis=1, keepdims=True), unrest)


def _boundaries(schedule: Schedule, rng: np.random.Generator) -> NDArray[np.float64]:
    """(k,) s: pose changes. Asleep: every 10–40 min, each a few quick poses. Awake: every few seconds."""
    edges = sorted({0.0, float(schedule.duration_s), *schedule.sleep, *(t for s in schedule.awakenings for t in s)})
    edges = sorted({*edges, *(min(t, schedule.duration_s) for s in schedule.off_wrist for t in s)})
    pieces = []
    for start, end in pairwise(edges):
        centre = np.array([(start + end) / 2])
        if inside(schedule.off_wrist, centre)[0]:
            pieces.append(np.array([start]))
        elif asleep(schedule, centre)[0]:
            pieces.append(_turns(start, end, rng))
        else:
            steps = rng.lognormal(np.log(5), 0.7, int((end - start) / 2) + 10).clip(1.5, 60)
            times = start + np.concatenate([[0.0], np.cumsum(steps)])
            pieces.append(times[times < end - 1.5])
    return np.concatenate(pieces)


def _turns(start: float, end: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """A still pose, then a turn of 3–8 quick poses, again and again."""
    times = [start]
    while (now := times[-1] + rng.uniform(600, 2400)) < end - 60:
        times.extend(now + np.concatenate([[0.0], np.cumsum(rng.uniform(1.5, 4, rng.integers(3, 9)))]))
    return np.array(times)


def _directions(count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """(count, 3): a walk over the sphere, so that each pose is a real turn (some 40°) away from the one before."""
    steps: NDArray[np.float64] = rng.normal(0, 0.8, (count, 3))
    walk = np.empty((count, 3))
    now = np.array([0.3, 0.2, 0.9])
    for i in range(count):
        now = now + steps[i]
        now = now / np.linalg.norm(now)
        walk[i] = now
    return walk


def accelerate(poses: Poses, duration_s: int, rng: np.random.Generator) -> NDArray[np.int32]:
    """(32·duration, 3) raw counts of 1/64 g, clipped to the int8 range of the device."""
    times = np.arange(duration_s * ACC_HZ) / ACC_HZ
    ends = np.append(poses.start_s[1:], duration_s)
    arrived = poses.start_s + np.minimum(TURN_S, (ends - poses.start_s) / 2)
    knots = np.stack([arrived, ends], axis=1).ravel()
    gravity = np.stack([np.interp(times, knots, np.repeat(poses.gravity[:, axis], 2)) for axis in range(3)], axis=1)
    gravity /= np.linalg.norm(gravity, axis=1, keepdims=True)
    noise = rng.standard_normal((len(times), 3), dtype=np.float32)
    shake = unrest_at(poses, times)[:, None] * LSB_PER_G
    counts = np.rint(gravity * LSB_PER_G + noise * np.hypot(shake, REST_LSB))
    return np.clip(counts, -128, 127).astype(np.int32)


def unrest_at(poses: Poses, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """times_s: (n,) s ≥ 0 → (n,) g."""
    unrest: NDArray[np.float64] = poses.unrest[np.searchsorted(poses.start_s, times_s, side="right") - 1]
    return unrest
