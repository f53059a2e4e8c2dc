"""Recordings cut into pieces, as a service receives them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from engine.night.recording import Channel, Events, Recording, Segment


def pieces(recording: Recording, bounds_us: Sequence[int]) -> Iterator[Recording]:
    """The recording between each bound and the next, where there is a sample."""
    for low, high in pairwise(bounds_us):
        channels = {name: _between(channel, low, high) for name, channel in recording.channels.items()}
        events = {name: _during(one, low, high) for name, one in recording.events.items()}
        if any(channel.segments for channel in channels.values()):
            yield replace(
                recording,
                channels={name: channel for name, channel in channels.items() if channel.segments},
                events={name: one for name, one in events.items() if len(one.t_us)},
                sha256=hashlib.sha256(f"{recording.sha256} {low}".encode()).hexdigest(),
            )


def quarters(recording: Recording) -> list[int]:
    """Every 15 min."""
    return [*range(recording.start_us, recording.end_us, 900_000_000), recording.end_us + 1]


def anywhere(recording: Recording, count: int, seed: int) -> list[int]:
    """`count` random whole seconds from the start on."""
    seconds = (recording.end_us - recording.start_us) // 1_000_000
    inner = np.unique(np.random.default_rng(seed).integers(1, seconds, count))
    return [recording.start_us + 1_000_000 * int(at) for at in (0, *inner)] + [recording.end_us + 1]


def _between(channel: Channel, low: int, high: int) -> Channel:
    parts = []
    for segment in channel.segments:
        first, last = (
            min(max(int(np.ceil((t - segment.t0_us) * segment.fs_hz / 1e6)), 0), len(segment.values))
            for t in (low, high)
        )
        if last > first:
            t0_us = segment.t0_us + round(first * 1e6 / segment.fs_hz)
            parts.append(Segment(t0_us, segment.fs_hz, segment.values[first:last]))
    return replace(channel, segments=tuple(parts))


def _during(events: Events, low: int, high: int) -> Events:
    inside = (events.t_us >= low) & (events.t_us < high)
    return replace(events, t_us=events.t_us[inside], values=events.values[inside])
