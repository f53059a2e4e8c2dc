"""Generate nights with known truth: several people, several nights, real file layout, seeded.

>>> night = draw(seed=1, hours=1.5)
>>> night.truth.subject_id, round(night.truth.epochs["hr_bpm"].median()) in range(45, 75)
('P01', True)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.simulate import dirt as dirt_of
from engine.simulate import e4
from engine.simulate.heart import beat, smooth
from engine.simulate.plan import Person, Span, draw_person, draw_schedule, inside
from engine.simulate.pulse import illuminate
from engine.simulate.skin import conduct, temperature, warm
from engine.simulate.truth import NightTruth, Truths, tell
from engine.simulate.wrist import Poses, accelerate, pose, unrest_at

FIRST_NIGHT = date(2026, 3, 27)
"""The second night from here on is the 23-hour one of the European spring."""
OFF_WRIST_FROM_H = 6.0
"""Shorter nights are for speed and get no stretch off the wrist."""


@dataclass(frozen=True, slots=True)
class Night:
    """One generated night: the session that the device recorded, and the truth behind it."""

    person: Person
    session: e4.Session
    truth: NightTruth

    def zip(self, level: int = 1) -> bytes:
        """The export as it would be uploaded."""
        return e4.pack(e4.members(self.session), self.session.start_s, level)


def draw(
    seed: int = 1,
    user: int = 0,
    night_date: date = FIRST_NIGHT,
    hours: float = 8.0,
    off_wrist: bool | Sequence[Span] = False,
    zone: str = "Europe/Zurich",
) -> Night:
    """One night of one user (from 0), worn for `hours`, in memory. Equal arguments give equal nights.

    off_wrist: whether the device is laid aside after getting up, or when (the recording gets no longer then).
    Raises ValueError where `hours` leaves under half an hour of sleep.
    """
    person = draw_person(seed, user, zone)
    rngs = [np.random.default_rng([seed, user, night_date.toordinal(), part]) for part in range(7)]
    schedule = draw_schedule(person, night_date, hours, off_wrist is True, rngs[0])
    if not isinstance(off_wrist, bool):
        schedule = replace(schedule, off_wrist=tuple(off_wrist))
    poses = pose(schedule, rngs[1])
    heart = beat(person, schedule, poses, rngs[2])
    beats_s = heart.beats_s
    true_c = warm(person, schedule, rngs[4])
    session = e4.Session(
        start_s=schedule.start_us // 1_000_000,
        duration_s=schedule.duration_s,
        serial=person.serial,
        bvp=illuminate(heart, person, schedule, poses, rngs[3]),
        acc=accelerate(poses, schedule.duration_s, rngs[1]),
        temp=temperature(true_c, rngs[4]),
        eda=conduct(person, schedule, rngs[5]),
        beats_s=beats_s,
        trusted=~inside(schedule.off_wrist, beats_s) & _trusted(beats_s, poses, schedule.duration_s, rngs[6]),
        tags_s=schedule.tags_s,
    )
    return Night(person, session, tell(person, schedule, poses, heart, true_c))


def write(
    root: Path,
    users: int = 4,
    nights: int = 3,
    hours: float = 8.0,
    seed: int = 1,
    dirt: Sequence[str] = (),
    *,
    zone: str = "Europe/Zurich",
    first_night: date = FIRST_NIGHT,
    off_wrist: bool = True,
    layout: str = "{subject}/{start}_{serial}.zip",
    level: int = 1,
) -> Truths:
    """Write `users` × `nights` zips below `root` and return the truth (keep it elsewhere: `Truths.save`).

    `dirt` names kinds of :mod:`engine.simulate.dirt`; each befalls one night, the last night first, or adds a stray
    file. With `off_wrist`, every third night from the second on has a stretch off the wrist if it is 6 h or longer.
    `layout` may use subject, start and serial. Raises ValueError on an unknown kind of dirt.
    """
    unknown = set(dirt).difference(dirt_of.KINDS)
    if unknown:
        raise ValueError(f"unknown dirt {sorted(unknown)}; known are {', '.join(dirt_of.KINDS)}")
    spoiling = [kind for kind in dirt if kind in dirt_of.SPOILING]
    truths, count = [], users * nights
    for number in range(count):
        user, day = divmod(number, nights)
        away = off_wrist and hours >= OFF_WRIST_FROM_H and number % 3 == 1
        night = draw(seed, user, first_night + timedelta(days=day), hours, away, zone)
        kinds = tuple(spoiling[count - 1 - number :: count])
        files = _uploads(night, kinds, layout, level)
        _put(root, files)
        truths.append(replace(night.truth, files=tuple(files), dirt=kinds))
    strays = _strays([kind for kind in dirt if kind in dirt_of.STRAY], seed, truths[0], layout)
    _put(root, {name: content for name, (_, content) in strays.items()})
    return Truths(tuple(truths), {name: kind for name, (kind, _) in strays.items()})


def _uploads(night: Night, kinds: Sequence[str], layout: str, level: int) -> dict[str, bytes]:
    """Relative name → bytes of the files that hold this night."""
    whole = night.session
    sessions = [whole]
    if "restart" in kinds:
        cut = whole.duration_s // 2
        sessions = [whole.between(0, cut), whole.between(cut + 180, whole.duration_s)]
    files = {}
    for index, session in enumerate(sessions):
        content = e4.members(session)
        for kind in kinds if index == 0 else ():
            content = dirt_of.spoil(content, kind)
        name = layout.format(subject=night.person.subject_id, start=session.start_s, serial=session.serial)
        files[name] = e4.pack(content, session.start_s, level)
    name = next(iter(files))
    if "truncated" in kinds:
        files[name] = dirt_of.truncate(files[name])
    if "duplicate" in kinds:
        files[name.removesuffix(".zip") + "_copy.zip"] = files[name]
    return files


def _strays(kinds: Sequence[str], seed: int, truth: NightTruth, layout: str) -> dict[str, tuple[str, bytes]]:
    """Relative name → (kind, bytes), dated days before the first night so that they share no Source with a good one."""
    files = {}
    for index, kind in enumerate(kinds):
        start_s = truth.start_us // 1_000_000 - (index + 3) * 86_400
        content = dirt_of.stray(kind, start_s, np.random.default_rng([seed, 1_000_000 + index]))
        files[layout.format(subject=truth.subject_id, start=start_s, serial="A00000")] = (kind, content)
    return files


def _put(root: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _trusted(
    beats_s: NDArray[np.float64], poses: Poses, duration_s: int, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """(n,) bool: beats the device reports. None within 3 s of movement; at rest it misses some runs besides."""
    seconds = np.arange(duration_s, dtype=np.float64)
    moving = smooth((unrest_at(poses, seconds) > 0).astype(np.float64), 7) > 0
    missed = smooth((rng.random(duration_s) < 1 / 90).astype(np.float64), 8) > 0
    return ~(moving | missed)[np.minimum(beats_s.astype(np.int64), duration_s - 1)]
