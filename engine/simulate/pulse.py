"""What the light sees: one pulse wave for each beat, sensor noise, and what movement does to both."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.simulate.heart import Heart, smooth
from engine.simulate.plan import Person, Schedule, inside
from engine.simulate.wrist import Poses, unrest_at

BVP_HZ = 64
BEFORE_S, AFTER_S = 0.55, 1.2
NOISE = 0.8
"""Standard deviation of an E4 on a table: real ones show 0.7–2.4, mostly between 1 and 6 Hz."""
ARTEFACT_PER_G = 900.0
TABLE_HZ = 2048
# (height, centre s, width s) as seen by the reader, who turns the file over: the beat is the sharp maximum, the wave
# of blood follows as a trough at 0.2 s with a shoulder and a slow run-off. Fitted by eye to averaged real wrists.
WAVES = ((1.0, 0.0, 0.075), (-0.75, 0.2, 0.085), (-0.38, 0.48, 0.19), (0.32, -0.16, 0.10))


def shape(times_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """times_s: (n,) s relative to the beat → (n,) upright pulse, about 1 high."""
    total = np.zeros(len(times_s))
    for height, centre, width in WAVES:
        total += height * np.exp(-0.5 * ((times_s - centre) / width) ** 2)
    return total


def illuminate(
    heart: Heart, person: Person, schedule: Schedule, poses: Poses, rng: np.random.Generator
) -> NDArray[np.int64]:
    """(64·duration,) hundredths, as the E4 writes them: turned over, so that each beat is a minimum."""
    count = schedule.duration_s * BVP_HZ
    worn = heart.beats_s[~inside(schedule.off_wrist, heart.beats_s)]
    upright = _pulses(worn, _heights(heart.breaths_at(worn), person, rng), count)
    noise = _band(rng.standard_normal(count, dtype=np.float32))
    times = np.arange(count) / BVP_HZ
    shaken = unrest_at(poses, np.arange(schedule.duration_s, dtype=np.float64))
    shaken = np.interp(times, np.arange(schedule.duration_s) + 0.5, shaken)
    artefact = _band(rng.standard_normal(count // 4 + 1, dtype=np.float32), 3, 16)
    artefact = np.interp(times, np.arange(len(artefact)) * 4 / BVP_HZ, artefact)
    upright += NOISE * noise + ARTEFACT_PER_G * shaken * artefact
    return np.rint(-100 * upright).astype(np.int64)


def _heights(breaths: NDArray[np.float64], person: Person, rng: np.random.Generator) -> NDArray[np.float64]:
    """(n,) height of each beat's pulse: breathes a little and drifts over minutes. breaths: (n,) until each beat."""
    breath = 0.06 * np.sin(2 * np.pi * breaths)
    drift = 0.12 * smooth(rng.normal(0, 1, len(breaths)), 200)
    return person.pulse_amplitude * np.clip(1 + breath + drift + rng.normal(0, 0.02, len(breaths)), 0.3, 2)


def _pulses(beats_s: NDArray[np.float64], heights: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """(count,) sum of all pulse waves. Waves overlap, so that they are added, not laid side by side."""
    table = shape(np.arange(-int(BEFORE_S * TABLE_HZ), int((AFTER_S + 0.1) * TABLE_HZ)) / TABLE_HZ)
    peak = int(np.argmax(table))
    width = int((BEFORE_S + AFTER_S - 0.1) * BVP_HZ)
    first = np.ceil((beats_s - BEFORE_S + 0.05) * BVP_HZ).astype(np.int64)
    index = first[:, None] + np.arange(width)
    place = np.rint((index / BVP_HZ - beats_s[:, None]) * TABLE_HZ).astype(np.int64) + peak
    waves = table[place] * heights[:, None]
    inside_record = (index >= 0) & (index < count)
    pulses: NDArray[np.float64] = np.bincount(index[inside_record], waves[inside_record], minlength=count).astype(
        np.float64, copy=False
    )
    return pulses


def _band(noise: NDArray[np.float32], short: int = 7, long: int = 40) -> NDArray[np.float64]:
    """White noise made smooth over `short` samples and free of what is slower than `long`; unit standard deviation."""
    values = noise.astype(np.float64)
    banded = smooth(values, short) / np.sqrt(short) - smooth(values, long) / np.sqrt(long)
    unit: NDArray[np.float64] = banded / np.sqrt(1 / short - 1 / long)
    return unit
