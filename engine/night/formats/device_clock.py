"""Devices whose clock shows local time and knows no zone: read as UTC until the zone is known (DOMAIN B1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from engine.module import Source
from engine.night.clock import LATEST_US, SECOND_US
from engine.night.recording import Channel, Recording
from engine.night.zones import resolve

_EPOCH = datetime(1970, 1, 1)


def local_clock(set_us: int) -> Mapping[str, Any]:
    """What `metadata["clock"]` says of such a device. set_us: when its clock was set, in its own time."""
    return {"basis": "local", "set_us": set_us}


def placed(recording: Recording, source: Source) -> Recording:
    """A recording in UTC. A local clock is moved by the offset that its zone had when the clock was set: it runs on
    through changes of summer time. Without a zone it stays as it is, which is then flagged as TZ_UNKNOWN."""
    set_us = _set_us(recording)
    if set_us is None:
        return recording
    zone = resolve(recording, source)
    offset = (_EPOCH + timedelta(microseconds=set_us)).replace(tzinfo=zone.rules).utcoffset()
    shift_us = round((offset or timedelta()).total_seconds()) * SECOND_US
    return replace(
        recording,
        channels={name: _moved(channel, -shift_us) for name, channel in recording.channels.items()},
        events={name: replace(one, t_us=one.t_us - shift_us) for name, one in recording.events.items()},
        metadata={**recording.metadata, "clock": {"basis": "utc", "moved_us": -shift_us}},
    )


def _moved(channel: Channel, by_us: int) -> Channel:
    return replace(channel, segments=tuple(replace(part, t0_us=part.t0_us + by_us) for part in channel.segments))


def _set_us(recording: Recording) -> int | None:
    clock = recording.metadata.get("clock")
    if not isinstance(clock, dict) or clock.get("basis") != "local":
        return None
    set_us = clock.get("set_us")
    return set_us if isinstance(set_us, int) and 0 <= set_us < LATEST_US else recording.start_us
