"""The slow channels: skin temperature and skin conductance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.simulate.heart import relax, smooth
from engine.simulate.plan import Person, Schedule, asleep, inside

SLOW_HZ = 4
ROOM_C = 22.5
FALL_S, RISE_S = 1500.0, 1200.0
"""Time constants off and on the wrist: 0.4 °C/min at first, as published for removal."""
EDA_STEP_US = 1281
"""The E4's step of conductance in 1e-6 µS."""


def warm(person: Person, schedule: Schedule, rng: np.random.Generator) -> NDArray[np.float64]:
    """(duration,) °C at 1 Hz: the true temperature under the sensor. Distal skin warms after sleep onset."""
    seconds = np.arange(schedule.duration_s, dtype=np.float64)
    warmth = relax(np.where(inside((schedule.sleep,), seconds), person.warming_c, 0.0), 2400.0)
    wander = smooth(rng.normal(0, 0.2, schedule.duration_s // 60 + 2), 20)
    skin = person.evening_skin_c + warmth + np.interp(seconds, np.arange(len(wander)) * 60.0, wander)
    away = inside(schedule.off_wrist, seconds)
    course = np.empty_like(skin)
    now = float(skin[0])
    chilled = False
    for i, (goal, off) in enumerate(zip(skin.tolist(), away.tolist(), strict=True)):
        chilled = off or (chilled and goal - now > 0.1)
        now = now + ((ROOM_C if off else goal) - now) / (FALL_S if off else RISE_S) if chilled else goal
        course[i] = now
    return course


def temperature(true_c: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
    """true_c: (n,) °C at 1 Hz → (4·n,) hundredths: steps of 0.02, each held for four rows, as real files show."""
    noisy = true_c + rng.normal(0, 0.012, len(true_c))
    return np.repeat(2 * np.rint(noisy * 50 - 0.5).astype(np.int64) + 1, SLOW_HZ)


def conduct(person: Person, schedule: Schedule, rng: np.random.Generator) -> NDArray[np.int64]:
    """(4·duration,) 1e-6 µS in the device's steps: a drifting level with sweat responses, 0 off the wrist."""
    seconds = np.arange(schedule.duration_s, dtype=np.float64)
    level = person.conductance_us * np.exp(0.4 * _slow(rng, schedule.duration_s))
    chance = np.where(asleep(schedule, seconds), 1 / 240, 1 / 40)
    bursts = (rng.random(len(seconds)) < chance) * rng.exponential(0.25, len(seconds)) * person.conductance_us
    response = 6 * (relax(bursts, 6.0) - relax(bursts, 1.2) * 0.2).clip(0)
    true_us = np.where(inside(schedule.off_wrist, seconds), 0.0, level + response)
    times = np.arange(schedule.duration_s * SLOW_HZ) / SLOW_HZ
    noisy = np.interp(times, seconds, true_us) + rng.normal(0, 0.0008, len(times))
    steps = np.rint(np.maximum(noisy, 0) * 1e6 / EDA_STEP_US).astype(np.int64) * EDA_STEP_US
    steps[0] = 0
    return steps


def _slow(rng: np.random.Generator, duration_s: int) -> NDArray[np.float64]:
    """(duration,) a standard wander over minutes at 1 Hz."""
    wander = smooth(rng.normal(0, 1, duration_s // 60 + 2), 15)
    return np.interp(np.arange(duration_s), np.arange(len(wander)) * 60.0, wander)
