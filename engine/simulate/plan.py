"""Who sleeps when: the people, and the schedule of each of their nights. Everything later is drawn from these two."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray


class Span(NamedTuple):
    """A stretch of time in seconds since the start of the recording, half-open."""

    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Person:
    """Traits that stay the same from night to night.

    The heart's variability has three parts: `rsa_ms` is the amplitude of respiratory sinus arrhythmia, `drift_ms` that
    of the 0.1-Hz rhythm, `jitter_ms` the standard deviation of each interval's own noise.
    """

    subject_id: str
    serial: str
    sleep_hr_bpm: float
    rsa_ms: float
    drift_ms: float
    jitter_ms: float
    breaths_per_min: float
    pulse_amplitude: float
    evening_skin_c: float
    warming_c: float
    conductance_us: float
    bedtime: time
    zone: str


@dataclass(frozen=True, slots=True)
class Schedule:
    """What happens in one recording. `start_us` is UTC µs, a whole second; spans count from it."""

    night_date: date
    start_us: int
    duration_s: int
    sleep: Span
    awakenings: tuple[Span, ...]
    off_wrist: tuple[Span, ...]
    tags_s: tuple[float, ...]


def draw_person(seed: int, number: int, zone: str) -> Person:
    """The `number`-th person of a seed (from 0)."""
    rng = np.random.default_rng([seed, number])
    return Person(
        subject_id=f"P{number + 1:02d}",
        serial=f"A{rng.integers(0x10000, 0xFFFFF):05X}",
        sleep_hr_bpm=rng.uniform(48, 64),
        rsa_ms=rng.uniform(25, 65),
        drift_ms=rng.uniform(8, 18),
        jitter_ms=rng.uniform(6, 10),
        breaths_per_min=rng.uniform(12.5, 17),
        pulse_amplitude=rng.uniform(30, 70),
        evening_skin_c=rng.uniform(31.8, 33.2),
        warming_c=rng.uniform(1.2, 2.2),
        conductance_us=rng.uniform(0.2, 1.5),
        bedtime=(datetime(2000, 1, 1, 22, 0) + timedelta(minutes=int(rng.integers(-30, 45)))).time(),
        zone=zone,
    )


def draw_schedule(
    person: Person, night_date: date, hours: float, off_wrist: bool, rng: np.random.Generator
) -> Schedule:
    """A night worn for `hours` that begins near the person's bedtime on the local evening of `night_date`.

    The edges are awake: a tenth of the time before sleep and a fourteenth after it. With `off_wrist` the recording goes
    on: a quarter of an hour after getting up the device is laid aside for 1 to 2.5 h, then worn again.
    """
    worn_s = round(hours * 3600)
    local = datetime.combine(night_date, person.bedtime, ZoneInfo(person.zone)) + timedelta(
        minutes=rng.uniform(-20, 20)
    )
    start_s = int(local.timestamp())
    asleep_s = worn_s * 0.1 * rng.uniform(0.8, 1.2)
    up_s = worn_s * (1 - 0.07 * rng.uniform(0.8, 1.2))
    absent: tuple[Span, ...] = ()
    if off_wrist:
        absent = (Span(round(up_s) + 900, round(up_s) + 900 + round(rng.uniform(3600, 9000))),)
    duration_s = worn_s + sum(round(span.end_s - span.start_s) for span in absent) + (900 if absent else 0)
    if up_s - asleep_s < 1800:
        raise ValueError(f"{hours} h leaves under 30 min of sleep; take longer nights or leave off_wrist out")
    sleep = Span(round(asleep_s), round(up_s))
    return Schedule(
        night_date=night_date,
        start_us=start_s * 1_000_000,
        duration_s=duration_s,
        sleep=sleep,
        awakenings=_awakenings(sleep, rng),
        off_wrist=absent,
        tags_s=(round(sleep.start_s - rng.uniform(60, 300), 2), round(sleep.end_s + rng.uniform(60, 300), 2)),
    )


def _awakenings(sleep: Span, rng: np.random.Generator) -> tuple[Span, ...]:
    """About one in two hours, 3–9 min long, at any time at least 10 min apart. One within 30 min of an end makes the
    usual sleep period later or shorter than the truth: a still block has to be longer than that."""
    count = int((sleep.end_s - sleep.start_s) / 7200)
    edges = np.linspace(sleep.start_s, sleep.end_s, count + 1)
    starts = [rng.uniform(a, b - 1140) for a, b in pairwise(edges)]
    return tuple(Span(round(start), round(start + rng.uniform(180, 540))) for start in starts)


def inside(spans: tuple[Span, ...], times_s: NDArray[np.float64]) -> NDArray[np.bool_]:
    """times_s: (n,) s → (n,) bool, whether each lies in any of the spans.

    >>> inside((Span(1, 2),), np.array([0.5, 1.0, 2.0])).tolist()
    [False, True, False]
    """
    found = np.zeros(len(times_s), dtype=np.bool_)
    for span in spans:
        found |= (times_s >= span.start_s) & (times_s < span.end_s)
    return found


def asleep(schedule: Schedule, times_s: NDArray[np.float64]) -> NDArray[np.bool_]:
    """times_s: (n,) s → (n,) bool: in the sleep period and in no awakening."""
    return inside((schedule.sleep,), times_s) & ~inside(schedule.awakenings, times_s)
