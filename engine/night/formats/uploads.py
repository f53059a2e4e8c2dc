"""One recording of the many files that a device uploads in a night (DOMAIN A2).

Each file is its own time anchor. Files that meet within a sample are one segment, so that no filter sees a border
every quarter of an hour; for that a rate that comes within a sample of a whole number of Hz over the file is taken as
such, and its samples lie on that lattice of the UTC clock, at most half a sample away. So no file's samples depend on
the files before it. Other rates stay as declared, a segment a file.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.night.clock import SECOND_US
from engine.night.formats.embrace import EXPECTED, READER_VERSION, SIGNALS, Part, Stream
from engine.night.recording import MISSING, Channel, Events, Recording, Segment, Upload

LONGEST_IBI_US = 3 * SECOND_US
"""Vendors' beats that lie farther apart are no neighbours."""
VOTE_S = 0.35
_Ints = NDArray[np.int32]


@dataclass(slots=True)
class _Run:
    """A segment in the making: n samples from t0_us on."""

    t0_us: int
    fs_hz: float
    parts: list[_Ints]
    n: int

    def behind(self, t0_us: int) -> int:
        """How many samples after the end a moment lies."""
        return round((t0_us - self.t0_us) * self.fs_hz / SECOND_US) - self.n

    def add(self, values: _Ints) -> None:
        self.parts.append(values)
        self.n += len(values)

    def segment(self) -> Segment:
        return Segment(self.t0_us, self.fs_hz, self.parts[0] if len(self.parts) == 1 else np.concatenate(self.parts))


def recordings(parts: Sequence[Part]) -> Iterator[Recording]:
    """A recording for each device and zone, its files in the order of their starts. Of equal files one counts."""
    ordered = sorted(parts, key=lambda part: (_key(part), part.start_us, part.sha256, part.file))
    for _, group in groupby(ordered, key=_key):
        yield _recording(list(group))


def _key(part: Part) -> tuple[str, int]:
    return part.device.serial or "", part.offset_s if part.offset_s is not None else 10**6


def _recording(parts: list[Part]) -> Recording:
    first: dict[str, str] = {}
    for part in parts:
        first.setdefault(part.sha256, part.file)
    own = [part for part in parts if first[part.sha256] == part.file]
    codes: dict[str, Counter[str]] = {part.file: Counter() for part in parts}
    for part in own:
        codes[part.file] += Counter(part.codes)
    channels = _channels(own, codes)
    digest = hashlib.sha256("".join(sorted(first)).encode()).hexdigest() if len(first) > 1 else next(iter(first))
    uploads = tuple(
        Upload(file, dict(+codes[first[sha]]), first[sha] if first[sha] != file else None)
        for file, sha in {part.file: part.sha256 for part in parts}.items()
    )
    total: Counter[str] = sum((codes[part] for part in dict.fromkeys(p.file for p in own)), Counter())
    total["T_DUP"] += sum(upload.twin is not None for upload in uploads)
    head = own[0]
    return Recording(
        file=head.file,
        sha256=digest,
        device=head.device,
        subject_id=head.subject_id,
        session_id=None,
        zone=None,
        offset_s=head.offset_s,
        channels=channels,
        events=_events(own),
        expected=EXPECTED,
        codes={code: count for code, count in sorted(total.items()) if count},
        metadata={
            "source": {"format": "embraceplus-avro", "sha256": digest, "reader_version": READER_VERSION},
            "schema": head.schema,
            "blocks": len(own),
        },
        uploads=uploads,
    )


def _channels(parts: Sequence[Part], codes: Mapping[str, Counter[str]]) -> dict[str, Channel]:
    found: dict[str, Channel] = {}
    for name, signal in SIGNALS.items():
        held = [(part, part.streams[name]) for part in parts if name in part.streams]
        if not held:
            continue
        (scale, offset), _ = Counter((stream.scale, stream.offset) for _, stream in held).most_common(1)[0]
        for part, stream in held:
            codes[part.file]["BLK_BAD"] += (stream.scale, stream.offset) != (scale, offset)
        held = [(part, stream) for part, stream in held if (stream.scale, stream.offset) == (scale, offset)]
        info = dict(held[0][1].info)
        turned = name == "bvp" and _turned(parts)
        info |= {"polarity": -1 if turned else 1} if name == "bvp" else {}
        for channel in signal.channels:
            counted = codes if channel == signal.channels[0] else None
            segments = _segments([(part.file, stream) for part, stream in held], channel, turned, counted)
            found[channel] = Channel(channel, signal.unit, scale, offset, segments, info)
    return found


def _segments(
    held: Sequence[tuple[str, Stream]], channel: str, turned: bool, codes: Mapping[str, Counter[str]] | None
) -> tuple[Segment, ...]:
    """Where two files hold the same time the earlier one's samples stay (T_DUP, or T_CONFLICT where they differ)."""
    # Nearly `join._channel`, and apart from it: here samples at a rate off the lattice are cut where files overlap but
    # never joined, a file of another rate is cut too, codes belong to a file. One loop would need a switch for each.
    runs: list[_Run] = []
    for file, stream in sorted(held, key=lambda one: one[1].t0_us):
        t0_us, fs_hz, whole = _on_lattice(stream)
        values = stream.values[channel]
        values = -values if turned else values  # −MISSING is MISSING again in int32
        step = runs[-1].behind(t0_us) if runs else 2
        if step < 0:
            same = _repeats(runs[-1], step, values)
            if codes is not None and step < -1:
                codes[file]["T_DUP" if same else "T_CONFLICT"] += 1
            values, t0_us = values[-step:], t0_us + round(-step * SECOND_US / fs_hz)
            step = 0
        if not len(values):
            continue
        if whole and runs and step <= 1 and runs[-1].fs_hz == fs_hz:
            runs[-1].add(np.full(step, MISSING, np.int32))
            runs[-1].add(values)
        else:
            runs.append(_Run(t0_us, fs_hz, [values], len(values)))
    return tuple(run.segment() for run in runs)


def _on_lattice(stream: Stream) -> tuple[int, float, bool]:
    """Start, rate, and whether they lie on the lattice of a whole number of Hz."""
    hz = max(round(stream.fs_hz), 1)
    if abs(len(stream) * (hz / stream.fs_hz - 1)) > 1:
        return stream.t0_us, stream.fs_hz, False
    return round(round(stream.t0_us * hz / SECOND_US) * SECOND_US / hz), float(hz), True


def _repeats(run: _Run, step: int, values: _Ints) -> bool:
    """Whether the samples that lie before the run's end are the run's own."""
    held = np.concatenate(run.parts)
    low = run.n + step
    return low >= 0 and np.array_equal(held[low : low + len(values)], values[: run.n - low])


def _turned(parts: Sequence[Part]) -> bool:
    """Whether the wave stands on its head: the device's own systolic peaks lie lower than what is around them.

    Nothing is documented of the sign; the E4 of the same maker writes it turned over. Without peaks it stays as it is.
    """
    votes = 0.0
    for part in parts:
        stream = part.streams.get("bvp")
        half = round(VOTE_S * stream.fs_hz) if stream else 0
        if stream is None or len(stream) < 2 * half + 1 or half < 1:
            continue
        x = stream.values["bvp"].astype(np.float64)
        at = np.rint((part.beats_us - stream.t0_us) * stream.fs_hz / SECOND_US).astype(np.int64)
        at = at[(at >= half) & (at < len(x) - half)]
        running = np.concatenate([[0.0], np.cumsum(x)])
        around = (running[at + half + 1] - running[at - half]) / (2 * half + 1)
        votes += float(np.sign(x[at] - around).sum())
    return votes < 0


def _events(parts: Sequence[Part]) -> dict[str, Events]:
    """The device's beats as intervals that end at them, and presses of the button."""
    beats = np.unique(np.concatenate([part.beats_us for part in parts]))
    tags = np.unique(np.concatenate([part.tags_us for part in parts]))
    ibi_us = np.diff(beats)
    near = ibi_us <= LONGEST_IBI_US
    found: dict[str, Any] = {}
    if near.any():
        found["ibi"] = Events("ibi", "ms", 1e-3, 0.0, beats[1:][near], ibi_us[near].astype(np.int32))
    if len(tags):
        found["event"] = Events("event", "1", 1.0, 0.0, tags, np.ones(len(tags), np.int32))
    return found
