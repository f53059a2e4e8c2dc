"""What became of each input: a status, reason codes and one sentence (DESIGN 5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.module import Status, Verdict
from engine.night.epochs import Epochs
from engine.night.nights import Session
from engine.night.reasons import WRONG_CLOCK, in_order
from engine.night.recording import Recording, Unreadable
from engine.night.signals import motion, ppg, temperature
from engine.night.wear import BAG_C, OFF

FEATURE_CHANNELS = {
    "acceleration": motion.AXES,
    "pulse (PPG)": ppg.CHANNELS,
    "skin temperature": (temperature.CHANNEL,),
}
"""What features use, by the name that a person reads; one of several PPG channels is enough."""
BLOCKS_LOST = ("ZIP_TRUNC", "BLK_BAD", "CLK_RESET")
MOST_BAD_BLOCKS = 0.2
LEAST_H = 1.0
ALMOST_H = 1e-6
MOSTLY, RARELY = 0.5, 0.1
GOOD_PPG = 0.6
NOTHING = "no channel holds a usable sample: export it again, and check the device if it stays so"
WHOLE = "give the whole recording if there is more of it"


@dataclass(frozen=True, slots=True)
class Hours:
    """Usable hours of what the device has, by FEATURE_CHANNELS' names."""

    by_signal: Mapping[str, float]

    def lost(self) -> tuple[str, ...]:
        return tuple(name for name, hours in self.by_signal.items() if hours == 0.0)

    def short(self) -> tuple[str, ...]:
        return tuple(name for name, hours in self.by_signal.items() if 0.0 < hours < LEAST_H - ALMOST_H)


def hours_of(recordings: Sequence[Recording]) -> Hours:
    """Samples that are not missing, as hours, over the recordings of one file; three axes count by their poorest."""
    expected = {name for recording in recordings for name in recording.expected}
    hours = {}
    for signal, names in FEATURE_CHANNELS.items():
        wanted = [name for name in names if name in expected]
        if wanted:
            per_name = [sum(_hours(recording, name) for recording in recordings) for name in wanted]
            hours[signal] = min(per_name) if names is motion.AXES else max(per_name)
    return Hours(hours)


def unreadable(one: Unreadable) -> Verdict:
    return Verdict(one.file, Status.REJECTED, in_order(one.codes) or ("SIG_EMPTY",), one.message)


def recorded(
    file: str, recordings: Sequence[Recording], sessions: Sequence[Session], rows: Sequence[Epochs], twin: str | None
) -> Verdict:
    """The verdict on a file that gave recordings. rows: its sessions' epochs before merging. twin: the byte-identical
    file whose rows stand for both."""
    codes = {code for recording in recordings for code in recording.codes}
    n = sum(len(part) for part in rows)
    if n == 0:
        told = WRONG_CLOCK if "CLK_IMPLAUS" in codes else NOTHING
        return Verdict(file, Status.REJECTED, in_order(codes) or ("SIG_EMPTY",), told)
    hours = hours_of(recordings)
    codes.update(_seen(sessions, rows))
    codes.update(["T_DUP"] if twin else [])
    codes.update(["SIG_MISSING"] if hours.lost() and not codes & {"SIG_MISSING", "SIG_EMPTY", "FS_BAD"} else [])
    codes.update(["SHORT"] if hours.short() or not hours.by_signal else [])
    fine = not (hours.lost() or hours.short() or any(map(_much_lost, recordings))) and hours.by_signal
    lost_blocks = bool(codes.intersection(BLOCKS_LOST))
    status = Status.OK if fine else Status.PARTIAL
    said = [*_sentence(hours, n, lost_blocks, codes), *_cold(rows, hours, codes), *_next(status, hours, twin)]
    return Verdict(file, status, in_order(codes), "; ".join(said))


def uploaded(recording: Recording, sessions: Sequence[Session], rows: Sequence[Epochs]) -> Iterator[Verdict]:
    """A verdict on each file that the recording came as: the recording's, without what only other files met."""
    for upload in recording.uploads:
        elsewhere = {code for other in recording.uploads for code in other.codes}.difference(upload.codes)
        codes = {code: count for code, count in recording.codes.items() if code not in elsewhere}
        metadata = {key: value for key, value in recording.metadata.items() if key != "blocks"}
        own = replace(recording, codes=codes, metadata=metadata)
        verdict = recorded(upload.file, [own], sessions, rows, upload.twin)
        count = len(recording.uploads)
        yield replace(verdict, message=f"one of {count} files: {verdict.message}") if count > 1 else verdict


def _much_lost(recording: Recording) -> bool:
    """Whether a loss makes the file partial: any, but of blocks whose number is known only more than a fifth."""
    blocks, bad = recording.metadata.get("blocks"), recording.codes.get("BLK_BAD", 0)
    few = isinstance(blocks, int) and bad <= MOST_BAD_BLOCKS * blocks
    return any(code in recording.codes for code in BLOCKS_LOST if not (few and code == "BLK_BAD"))


def _hours(recording: Recording, name: str) -> float:
    channel = recording.channels.get(name)
    if channel is None:
        return 0.0
    return sum(s.present / s.fs_hz for s in channel.segments) / 3600.0


def _seen(sessions: Sequence[Session], rows: Sequence[Epochs]) -> Iterator[str]:
    """What a person who opens the file would say of it as a whole."""
    if any(not session.zone.known for session in sessions):
        yield "TZ_UNKNOWN"
    wear = np.concatenate([part.wear for part in rows])
    if (wear == OFF).mean() > MOSTLY:
        yield "NONWEAR"
    pulse = np.concatenate([part.q_ppg[part.ppg > 0] for part in rows])
    if len(pulse) and (pulse >= GOOD_PPG).mean() < RARELY:
        yield "PPG_LOW"
    if any(np.diff(part.offset_s).any() for part in rows):
        yield "DST"


def _sentence(hours: Hours, n: int, lost_blocks: bool, codes: set[str]) -> Iterator[str]:
    whole = [f"{_long(hours.by_signal[name])} of {name}" for name in hours.by_signal if name not in hours.lost()]
    unused = "" if hours.by_signal else f", with none of {', '.join(FEATURE_CHANNELS)}"
    yield ", ".join(whole) if whole else f"{_long(n / 360)} recorded{unused}"
    if hours.lost():
        yield "no " + " and no ".join(hours.lost())
    if hours.short():
        yield "under 1 h" if len(hours.short()) == len(whole) else "under 1 h of " + ", ".join(hours.short())
    if lost_blocks:
        yield "part of the file was lost"
    if "NONWEAR" in codes:
        yield "not worn most of the time"
    elif "PPG_LOW" in codes:
        yield "hardly any good pulse"


def _cold(rows: Sequence[Epochs], hours: Hours, codes: set[str]) -> list[str]:
    """A cold sensor is worth a word where no good pulse says that it lies on skin."""
    if "PPG_LOW" not in codes and hours.by_signal.get("pulse (PPG)", 0.0) > 0.0:
        return []
    temp_c = np.concatenate([part.temp_c for part in rows])
    temp_c = temp_c[np.isfinite(temp_c)]
    median = float(np.median(temp_c)) if len(temp_c) else np.inf
    return [f"cold (median {median:.1f} °C): worn loosely or not at all"] if median < BAG_C else []


def _next(status: Status, hours: Hours, twin: str | None) -> Iterator[str]:
    """What to do."""
    if status is Status.PARTIAL:
        yield WHOLE if hours.by_signal else "give a file that has one of them"
    if twin:
        yield f"the same bytes as {twin}, which stands for both"


def _long(hours: float) -> str:
    """A length as a person says it.

    >>> _long(2.5), _long(0.95), _long(0.004)
    ('2.5 h', '57 min', '14 s')
    """
    if hours >= LEAST_H - ALMOST_H:
        return f"{hours:.1f} h"
    return f"{hours * 60:.0f} min" if hours * 60 >= 1 else f"{hours * 3600:.0f} s"
