"""Pieces of one recording: put together in the order of time, and what is left of one from a moment on."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from engine.night.recording import MISSING, Channel, Events, Recording, Segment
from engine.night.signals.ppg import CHANNELS, coarseness

ABSENT = ("SIG_MISSING", "SIG_EMPTY")


def joined(pieces: Sequence[Recording]) -> Recording:
    """One recording of all pieces, in the order of time (DOMAIN A2, A8). Each piece is its own anchor.

    Raises ValueError where they cannot be (`refuse_strangers`).
    """
    refuse_strangers(pieces)
    pieces = sorted(pieces, key=lambda piece: piece.start_us)
    codes: Counter[str] = Counter()
    for piece in pieces:
        codes.update(piece.codes)
    for code in ABSENT:
        if any(code not in piece.codes for piece in pieces):
            del codes[code]
    names = dict.fromkeys(name for piece in pieces for name in piece.channels)
    channels = {name: _channel([p.channels[name] for p in pieces if name in p.channels], codes) for name in names}
    kinds = dict.fromkeys(name for piece in pieces for name in piece.events)
    events = {name: _events([p.events[name] for p in pieces if name in p.events]) for name in kinds}
    return replace(
        pieces[0],
        sha256=hashlib.sha256("".join(piece.sha256 for piece in pieces).encode()).hexdigest(),
        channels=channels,
        events=events,
        codes={code: count for code, count in sorted(codes.items()) if count},
        uploads=tuple(upload for piece in pieces for upload in piece.uploads),
    )


def refuse_strangers(pieces: Sequence[Recording]) -> None:
    """Raises ValueError where pieces are of different devices, or state a channel in different units."""
    first = pieces[0]
    for piece in pieces[1:]:
        if piece.device != first.device:
            told = " and ".join(f"{one.model} {one.serial or 'without number'}" for one in (first.device, piece.device))
            raise ValueError(f"pieces of two devices cannot be joined: {told}")
        for name in first.channels.keys() & piece.channels.keys():
            one, other = first.channels[name], piece.channels[name]
            if (one.scale, one.offset, one.unit) != (other.scale, other.offset, other.unit):
                raise ValueError(f"pieces that state {name} in different units cannot be joined")


def latest(recording: Recording) -> int:
    """UTC µs up to which all channels have been received; the device's own results do not count."""
    ends = [c.segments[-1].end_us for c in recording.channels.values() if not c.info.get("derived")]
    return min(ends, default=recording.end_us)


def since(raw: Recording, cleaned: Recording, from_us: int) -> Recording:
    """What is left of a recording from about a moment on, to be joined with what comes, cleaned and measured again.

    raw: as joined; cleaned: of it, what it has masked stays so but for the last samples: a flat line may go on. A cut
    lies where the first detector of beats has a sample, so that it finds the same ones. Channels that ended are gone.
    """
    channels = {}
    for name, channel in raw.channels.items():
        *before, last = cleaned.channels.get(name, channel).segments
        known = [one for one in (*before, _with_last_run(last, channel.segments[-1])) if one.end_us > from_us]
        if known:
            channels[name] = replace(channel, segments=tuple(_cut(channel, one, from_us) for one in known))
    events = {name: _after(one, from_us) for name, one in raw.events.items()}
    return replace(raw, channels=channels, events=events)


def _channel(parts: Sequence[Channel], codes: Counter[str]) -> Channel:
    """Pieces that meet within a sample become one segment; where two hold the same time the earlier one's stay."""
    parts = _one_way_up(parts)
    runs: list[list[Segment]] = []
    for segment in sorted((s for one in parts for s in one.segments), key=lambda segment: segment.t0_us):
        step = _step(runs[-1], segment) if runs else None
        if step is None or step > 1:
            runs.append([segment])
            continue
        if step < -1:
            codes["T_DUP" if _repeats(runs[-1], step, segment) else "T_CONFLICT"] += 1
        lost = np.full(max(step, 0), MISSING, np.int32)
        runs[-1] += [replace(segment, values=values) for values in (lost, segment.values[max(-step, 0) :])]
    joined = (replace(run[0], values=np.concatenate([one.values for one in run])) for run in runs)
    return replace(parts[0], segments=tuple(joined))


def _one_way_up(parts: Sequence[Channel]) -> list[Channel]:
    """All as most samples are: a reader may have turned some pieces over, by what the device told of its beats."""
    samples: Counter[int] = Counter()
    for one in parts:
        samples[polarity(one)] += sum(len(segment.values) for segment in one.segments)
    ((most, _),) = samples.most_common(1)
    return [one if polarity(one) == most else _turned_over(one) for one in parts]


def polarity(channel: Channel) -> int:
    """−1 where the reader turned the signal over."""
    return -1 if channel.info.get("polarity") == -1 else 1


def _turned_over(channel: Channel) -> Channel:
    segments = tuple(replace(one, values=-one.values) for one in channel.segments)  # −MISSING is MISSING in int32
    return replace(channel, segments=segments, info={**channel.info, "polarity": -polarity(channel)})


def _step(run: Sequence[Segment], segment: Segment) -> int | None:
    """How many samples after the run's end a segment begins; None where its rate is another."""
    if segment.fs_hz != run[0].fs_hz:
        return None
    held = sum(len(one.values) for one in run)
    return round((segment.t0_us - run[0].t0_us) * segment.fs_hz / 1e6) - held


def _repeats(run: Sequence[Segment], step: int, segment: Segment) -> bool:
    """Whether the samples that lie before the run's end are the run's own."""
    held = np.concatenate([one.values for one in run])[step:]
    return np.array_equal(held[: len(segment.values)], segment.values[: len(held)])


def _events(parts: Sequence[Events]) -> Events:
    t_us = np.concatenate([one.t_us for one in parts])
    times, first = np.unique(t_us, return_index=True)
    return replace(parts[0], t_us=times, values=np.concatenate([one.values for one in parts])[first])


def _after(events: Events, from_us: int) -> Events:
    kept = events.t_us >= from_us
    return replace(events, t_us=events.t_us[kept], values=events.values[kept])


def _with_last_run(cleaned: Segment, raw: Segment) -> Segment:
    """The cleaned segment, its last run of masked samples as they were."""
    held = np.flatnonzero(cleaned.values != MISSING)
    run = min(len(cleaned.values) - (int(held[-1]) + 1 if len(held) else 0), len(raw.values))
    values = cleaned.values.copy()
    values[len(values) - run :] = raw.values[len(raw.values) - run :]
    return replace(cleaned, values=values)


def _cut(channel: Channel, segment: Segment, from_us: int) -> Segment:
    """The segment from about `from_us` on, begun at a sample whose time is a whole µs. No such sample: all of it."""
    step_us = Fraction(1_000_000) / Fraction(segment.fs_hz)
    latest_at = int((from_us - segment.t0_us) / step_us)
    every = math.lcm(step_us.denominator, coarseness(segment.fs_hz) if channel.name in CHANNELS else 1)
    at = latest_at // every * every
    if at <= 0:
        return segment
    return replace(segment, t0_us=segment.t0_us + int(at * step_us), values=segment.values[at:].copy())
