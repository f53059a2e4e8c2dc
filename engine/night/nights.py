"""Cut recordings into sessions and say to which night each epoch belongs (DOMAIN B1–B3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from engine.module import Source
from engine.night.grid import Grid, cover
from engine.night.recording import Channel, Events, Recording
from engine.night.signals.calibration import IDENTITY, Correction, in_force
from engine.night.zones import Zone, resolve

HOUR_US = 3_600_000_000
NEVER_CUT_US = 18 * HOUR_US
"""A recording shorter than this belongs to one night as a whole, and a hole longer than this parts two sessions."""
REBOOT_US = 3 * HOUR_US


@dataclass(frozen=True, slots=True)
class Session:
    """A recording, or a piece of one between holes of more than 18 h, on its grid, in its zone, as read: `correction`
    is applied before any use of its acceleration."""

    recording: Recording
    zone: Zone
    grid: Grid
    correction: Correction = IDENTITY

    def night(self, ts_us: NDArray[np.int64]) -> NDArray[np.int32]:
        """(n,) int32: days since 1970 of each epoch's evening: the start's for all, unless it is long enough to cut."""
        start_us, end_us = self.recording.start_us, self.recording.end_us
        if end_us - start_us < NEVER_CUT_US:
            return np.repeat(self.zone.night_of(np.array([start_us])), len(ts_us))
        return self.zone.night_of(ts_us)


def split(recordings: Sequence[Recording], source: Source) -> tuple[Session, ...]:
    """Sessions in time order (then by SHA-256). A recording without a sample gives none."""
    sessions = [_session(piece, source) for recording in recordings for piece in pieces(recording)]
    return tuple(sorted(sessions, key=lambda s: (s.grid.start_us, s.recording.sha256, s.recording.file)))


def _session(piece: Recording, source: Source) -> Session:
    grid = cover(piece.start_us, piece.end_us)
    return Session(piece, resolve(piece, source), grid, in_force(piece, grid, source))


def pieces(recording: Recording) -> Iterator[Recording]:
    """The recording between holes of more than 18 h in all channels, so that no grid spans years."""
    spans = sorted((s.t0_us, s.end_us) for c in recording.channels.values() for s in c.segments if len(s.values))
    if not spans:
        return
    starts, reach = [spans[0][0]], spans[0][1]
    for start_us, end_us in spans[1:]:
        if start_us - reach > NEVER_CUT_US:
            starts.append(start_us)
        reach = max(reach, end_us)
    if len(starts) == 1:
        yield recording
        return
    for low, high in zip(starts, [*starts[1:], reach + 1], strict=True):
        channels = {name: _channel(c, low, high) for name, c in recording.channels.items()}
        events = {name: _events(e, low, high) for name, e in recording.events.items()}
        yield replace(recording, channels=channels, events=events)


def count_reboots(sessions: Sequence[Session]) -> int:
    """How often one device went on at most 3 h after it had stopped. Sessions in time order."""
    return sum(_reboots(before, after) for before, after in pairwise(sessions))


def overlap(sessions: Sequence[Session]) -> bool:
    """Whether two sessions of different recordings hold the same moment, or come from different devices."""
    serials = {s.recording.device.serial for s in sessions if s.recording.device.serial}
    reach = None
    for session in sessions:
        if reach is not None and session.recording.start_us < reach:
            return True
        reach = max(reach or session.recording.end_us, session.recording.end_us)
    return len(serials) > 1


def _reboots(before: Session, after: Session) -> bool:
    gap_us = after.recording.start_us - before.recording.end_us
    known = before.recording.device.serial and after.recording.device.serial
    same = not known or before.recording.device == after.recording.device
    return same and 0 <= gap_us <= REBOOT_US


def _channel(channel: Channel, low_us: int, high_us: int) -> Channel:
    return replace(channel, segments=tuple(s for s in channel.segments if low_us <= s.t0_us < high_us))


def _events(events: Events, low_us: int, high_us: int) -> Events:
    inside = (events.t_us >= low_us) & (events.t_us < high_us)
    return replace(events, t_us=events.t_us[inside], values=events.values[inside])
