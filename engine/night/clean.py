"""What may be believed of a recording: implausible clocks, wrong rates, flat lines and wrong units (DOMAIN A8).

Samples that are not believed become MISSING; rail values stay as they are (A7), their share is in the channel's `info`
as `sat_share`, and is reported as SAT from 1 % on. Nothing is filled in: segments that almost meet are joined over
MISSING samples.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np

from engine.night.clock import BAD_RATE, DOUBTFUL_US, DRIFT, EARLIEST_US, SECOND_US
from engine.night.recording import MISSING, Channel, Events, Recording, Segment
from kernels.masks import count_outside, flat_runs, still_norms

AXES = ("acc_x", "acc_y", "acc_z")
TURNS = ("gyr_x", "gyr_y", "gyr_z")
SHORT_GAP_S, SHORT_GAP_SAMPLES = 0.25, 2
LEAST_SAT_SHARE = 0.01
"""Of a channel's samples; below it saturation is no reason: a moving wrist reaches ±2 g in 0.02 to 0.09 % of them."""
FLAT_S = 10.0
TEMPERATURES = ("skin_temp", "amb_temp")
COLDEST_CEL, HOTTEST_CEL = 0.0, 60.0
UNIT_FACTORS = (1 / 9.80665, 1 / 1000, 1 / 64)
STILL_SD_SHARE = 0.013
_FEWEST_STILL = 6
_LOW_G, _HIGH_G = 0.9, 1.1
_BEYOND = 2.0**40
_DAY_US = 86_400 * SECOND_US


def clean(recording: Recording, received_at: datetime | None) -> Recording:
    """The recording as features may use it, with `codes` extended by what was found. Channels may be gone."""
    codes = Counter(recording.codes)
    latest_us = None if received_at is None else round(received_at.timestamp() * SECOND_US) + _DAY_US
    channels = {name: _placed(channel, latest_us, codes) for name, channel in recording.channels.items()}
    channels = _rated({name: channel for name, channel in channels.items() if channel.segments}, codes)
    for name, channel in channels.items():
        codes["GAP"] += _gaps(channel) if name not in (*AXES[1:], *TURNS[1:]) else 0
    channels = {name: replace(channel, segments=_joined(channel.segments)) for name, channel in channels.items()}
    channels = _one_unit(_masked(channels, codes), codes)
    events = {name: _timely(one, latest_us, codes) for name, one in recording.events.items()}
    kept = {code: count for code, count in sorted(codes.items()) if count}
    return replace(recording, channels=channels, events=events, codes=kept)


def saturated(channel: Channel) -> int:
    """How many samples lie at the sensor's rail, by `sat_low` and `sat_high` of the channel's info."""
    low, high = (_rail(channel.info.get(name)) for name in ("sat_low", "sat_high"))
    if low is None and high is None:
        return 0
    low, high = -np.inf if low is None else low, np.inf if high is None else high
    return sum(count_outside(part.values, MISSING, low, high) for part in channel.segments)


def _rail(stated: object) -> float | None:
    """What the device states; a number that no float holds, as one that no sample reaches."""
    return float(min(max(stated, -_BEYOND), _BEYOND)) if isinstance(stated, int | float) else None


def _placed(channel: Channel, latest_us: int | None, codes: Counter[str]) -> Channel:
    """Without the segments whose dates cannot be."""
    kept = []
    for segment in channel.segments:
        impossible = segment.t0_us < EARLIEST_US or (latest_us is not None and segment.end_us > latest_us)
        codes["CLK_IMPLAUS"] += impossible or segment.t0_us < DOUBTFUL_US
        if not impossible:
            kept.append(segment)
    return replace(channel, segments=tuple(kept))


def _timely(events: Events, latest_us: int | None, codes: Counter[str]) -> Events:
    inside = events.t_us >= EARLIEST_US
    if latest_us is not None:
        inside &= events.t_us <= latest_us
    codes["CLK_IMPLAUS"] += not inside.all()
    return replace(events, t_us=events.t_us[inside], values=events.values[inside])


def _rated(channels: Mapping[str, Channel], codes: Counter[str]) -> dict[str, Channel]:
    """Channels at a rate near the model's: up to 10 % off is measured against the others' duration, more is dropped."""
    kept = {}
    for name, channel in channels.items():
        nominal = channel.info.get("nominal_hz")
        known = isinstance(nominal, int | float) and 0 < nominal < 1e6
        astray = max(abs(part.fs_hz / float(nominal or 1) - 1) for part in channel.segments) if known else 0.0
        code = "FS_BAD" if astray > BAD_RATE else "FS_DRIFT" if astray > DRIFT else None
        if code:
            codes[code] += name not in AXES[1:]
        if code != "FS_BAD":
            kept[name] = _remeasured(channel, channels) if code else channel
    return kept


def _remeasured(channel: Channel, channels: Mapping[str, Channel]) -> Channel:
    """At the rate that lets the channel end with those of nominal rate, if that is near nominal; else as declared."""
    nominal = channel.info["nominal_hz"]
    spans = [
        other.segments[0].end_us - other.segments[0].t0_us
        for other in channels.values()
        if len(other.segments) == 1 and other.segments[0].fs_hz == other.info.get("nominal_hz")
    ]
    if not spans or len(channel.segments) != 1:
        return channel
    (segment,) = channel.segments
    fs_hz = len(segment.values) * SECOND_US / float(np.median(spans))
    near = abs(fs_hz / nominal - 1) <= BAD_RATE
    return replace(channel, segments=(replace(segment, fs_hz=fs_hz),)) if near else channel


def _gaps(channel: Channel) -> int:
    pairs = zip(channel.segments, channel.segments[1:], strict=False)
    return sum(after.t0_us - before.end_us > 0.5 * SECOND_US / before.fs_hz for before, after in pairs)


def _joined(segments: Sequence[Segment]) -> tuple[Segment, ...]:
    """Segments of one rate that lie ≤ 0.25 s or two samples apart as one, MISSING in between."""
    runs: list[list[Segment]] = []
    size = 0
    for segment in segments:
        lost = _lost_samples(runs[-1][0], size, segment) if runs else None
        if lost is None:
            runs.append([segment])
            size = len(segment.values)
        else:
            gap = np.full(lost, MISSING, np.int32)
            runs[-1] += [Segment(runs[-1][-1].end_us, segment.fs_hz, gap), segment]
            size += lost + len(segment.values)
    return tuple(
        run[0] if len(run) == 1 else replace(run[0], values=np.concatenate([one.values for one in run])) for run in runs
    )


def _lost_samples(first: Segment, so_far: int, after: Segment) -> int | None:
    """How many samples fit between `so_far` ones from the first segment on and the next segment; None where the gap is
    long or the rates differ."""
    fs_hz = first.fs_hz
    lost = (after.t0_us - first.t0_us) * fs_hz / SECOND_US - so_far
    most = max(SHORT_GAP_S * fs_hz, SHORT_GAP_SAMPLES)
    return round(lost) if after.fs_hz == fs_hz and -0.5 <= lost <= most + 0.5 else None


def _one_unit(channels: Mapping[str, Channel], codes: Counter[str]) -> dict[str, Channel]:
    """Acceleration in g: at rest its norm is 1. Another unit is known by exactly one factor; else it is dropped."""
    if not set(AXES) <= set(channels):
        return dict(channels)
    norm = rest_norm([channels[axis] for axis in AXES])
    if norm is None or _LOW_G <= norm <= _HIGH_G:
        return dict(channels)
    codes["ACC_UNIT"] += 1
    fitting = [factor for factor in UNIT_FACTORS if 0.95 <= norm * factor <= 1.05]
    if len(fitting) != 1:
        return {name: channel for name, channel in channels.items() if name not in AXES}
    (factor,) = fitting
    return {
        name: replace(channel, scale=channel.scale * factor, offset=channel.offset * factor)
        if name in AXES
        else channel
        for name, channel in channels.items()
    }


def rest_norm(axes: Sequence[Channel]) -> float | None:
    """Median norm over 10-s windows at rest; None with less than a minute of them or axes that do not run together."""
    if not _together(axes) or len({(axis.scale, axis.offset) for axis in axes}) != 1:
        return None
    norms = [
        still_norms(
            *(part.values for part in parts),
            MISSING,
            max(1, round(10 * parts[0].fs_hz)),
            axes[0].scale,
            axes[0].offset,
            STILL_SD_SHARE,
        )
        for parts in zip(*(axis.segments for axis in axes), strict=True)
    ]
    still = np.concatenate(norms)
    still = still[np.isfinite(still)]
    return float(np.median(still)) if len(still) >= _FEWEST_STILL else None


def _together(axes: Sequence[Channel]) -> bool:
    """Whether the axes have the same segments."""
    shapes = {tuple((part.t0_us, part.fs_hz, len(part.values)) for part in axis.segments) for axis in axes}
    return len(shapes) == 1


def _masked(channels: Mapping[str, Channel], codes: Counter[str]) -> dict[str, Channel]:
    masked = dict(channels)
    for names in (AXES, TURNS, *((name,) for name in channels if name == "bvp" or name.startswith("ppg_"))):
        if set(names) <= set(channels) and _together([channels[name] for name in names]):
            masked.update(_without_flat(names, channels, codes))
    for name in set(TEMPERATURES) & set(channels):
        masked[name] = _in_range(masked[name], codes)
    for name, channel in masked.items():
        at_rail = saturated(channel)
        if at_rail:
            total = sum(len(segment.values) for segment in channel.segments)
            codes["SAT"] += at_rail if at_rail / total >= LEAST_SAT_SHARE else 0
            masked[name] = replace(channel, info={**channel.info, "sat_share": at_rail / total})
    return masked


def _without_flat(names: Sequence[str], channels: Mapping[str, Channel], codes: Counter[str]) -> dict[str, Channel]:
    """The channels with MISSING where all of them stay identical for 10 s or longer."""
    columns: dict[str, list[Segment]] = {name: [] for name in names}
    for parts in zip(*(channels[name].segments for name in names), strict=True):
        raw = [part.values for part in parts]
        runs = flat_runs(raw[0], raw[-2 % len(raw)], raw[-1], MISSING, max(2, round(FLAT_S * parts[0].fs_hz)))
        codes["FLAT"] += int(np.sum(runs[:, 1] - runs[:, 0]))
        for name, part in zip(names, parts, strict=True):
            values = part.values.copy() if len(runs) else part.values
            for begin, end in runs:
                values[begin:end] = MISSING
            columns[name].append(replace(part, values=values))
    return {name: replace(channels[name], segments=tuple(columns[name])) for name in names}


def _in_range(channel: Channel, codes: Counter[str]) -> Channel:
    """The temperature with MISSING outside 0 … 60 °C, where the sensor has come off."""
    segments = []
    for segment in channel.segments:
        if _never_outside(channel, segment):
            segments.append(segment)
            continue
        celsius = channel.physical(segment)
        outside = (celsius < COLDEST_CEL) | (celsius > HOTTEST_CEL)
        codes["TEMP_RANGE"] += int(np.count_nonzero(outside))
        values = np.where(outside, np.int32(MISSING), segment.values) if outside.any() else segment.values
        segments.append(replace(segment, values=values))
    return replace(channel, segments=tuple(segments))


def _never_outside(channel: Channel, segment: Segment) -> bool:
    """Whether no sample is missing or outside, as the least and the greatest tell: a fifth of the time."""
    if not len(segment.values):
        return False
    ends = np.array([segment.values.min(), segment.values.max()])
    celsius = channel.physical(replace(segment, values=ends))
    return bool(((celsius >= COLDEST_CEL) & (celsius <= HOTTEST_CEL)).all())
