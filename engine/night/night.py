"""The reference module: raw files of one subject-night to epochs, nights and vitals.

    parse → split → filter → features → quality

Each stage is a method, and calling the module is their composition.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from engine.module import Outcome, RawFile, Source, Table, Verdict
from engine.night import epochs as stage
from engine.night import features, merge, nights, quality, rows, still_windows, verdicts, zones
from engine.night.clean import clean
from engine.night.epochs import Epochs
from engine.night.features import NightOfSource
from engine.night.formats import derived, parse, readings
from engine.night.formats.device_clock import placed
from engine.night.formats.readings import Readings
from engine.night.nights import Session
from engine.night.quality import Judged
from engine.night.recording import Recording, Unreadable
from engine.night.tables import OUTPUTS


@dataclass(frozen=True, slots=True)
class Parsed:
    """recordings: cleaned, none twice. twins: file to the byte-identical file that stands for it. readings: cleaned,
    what devices computed themselves."""

    recordings: tuple[Recording, ...]
    unreadable: tuple[Unreadable, ...]
    twins: dict[str, str]
    readings: tuple[Readings, ...] = ()


@dataclass(frozen=True, slots=True)
class Filtered:
    """parts: epochs of each session by itself. epochs: merged over all sessions, one row for each ten seconds."""

    sessions: tuple[Session, ...]
    parts: tuple[Epochs, ...]
    epochs: Epochs


@dataclass(frozen=True)
class Night:
    """Raw files of one subject-night to the tables of `engine.night.tables`. Fields are parameters.

    max_unpacked_mb: a file that unpacks to more is refused. analysis_window: `full` takes the whole sleep period,
    `ava2019` drops its first 90 and last 30 min and asks for 4 h.
    """

    max_unpacked_mb: int = 512
    analysis_window: Literal["full", "ava2019"] = "full"

    def __post_init__(self) -> None:
        if self.max_unpacked_mb < 1:
            raise ValueError(f"max_unpacked_mb must be at least 1, not {self.max_unpacked_mb}")
        if self.analysis_window not in ("full", "ava2019"):
            raise ValueError(f"analysis_window must be full or ava2019, not {self.analysis_window!r}")

    @property
    def name(self) -> str:
        return "night"

    @property
    def outputs(self) -> dict[str, Table]:
        return dict(OUTPUTS)

    def __call__(self, files: Sequence[RawFile], source: Source) -> Outcome:
        """Tables and one verdict for each input. Whatever the bytes, no exception; no value is invented."""
        parsed = self.parse(files, source)
        filtered = self.filter(self.split(parsed, source))
        judged = [self.quality(night) for night in self.features(filtered)]
        epochs = with_sleep(filtered.epochs, judged)
        told = (*self.verdicts(parsed, filtered), *readings.verdicts(parsed.readings, zones.of_source(source)))
        if not len(epochs) and not any(one.vitals for one in parsed.readings):
            return Outcome({}, told)
        tables = {
            "epochs": rows.epochs_table(epochs, source),
            "nights": rows.nights_table(judged, filtered.sessions, source),
            "vitals": rows.vitals_table(epochs, readings.hours(parsed.readings), source),
            "still_windows": still_windows.table(epochs, filtered.sessions, source),
        }
        return Outcome(tables, told)

    def parse(self, files: Sequence[RawFile], source: Source) -> Parsed:
        """Bytes to clean recordings (DOMAIN A). A byte-identical file adds nothing."""
        computed, signals = derived.read(files, zones.of_source(source))
        recordings, unreadable = parse.read(signals, self.max_unpacked_mb)
        first: dict[str, str] = {}
        for recording in recordings:
            first.setdefault(recording.sha256, recording.file)
        twins = {r.file: first[r.sha256] for r in recordings if first[r.sha256] != r.file}
        own = tuple(clean(placed(r, source), source.received_at) for r in recordings if r.file not in twins)
        return Parsed(own, unreadable, twins, tuple(readings.clean(one, source.received_at) for one in computed))

    def split(self, parsed: Parsed, source: Source) -> tuple[Session, ...]:
        """Recordings to sessions in local time (DOMAIN B1–B3), each with the calibration in force (C2)."""
        return nights.split(parsed.recordings, source)

    def filter(self, sessions: Sequence[Session]) -> Filtered:
        """Sessions to epochs (DOMAIN C, D), merged epoch by epoch."""
        parts = tuple(stage.measure(session, number) for number, session in enumerate(sessions))
        epochs = merge.settle(merge.merge(parts, sessions)) if parts else stage.blank(0)
        return Filtered(tuple(sessions), parts, epochs)

    def features(self, filtered: Filtered) -> tuple[NightOfSource, ...]:
        """Nights with sleep and features (DOMAIN B4, B5, E)."""
        return tuple(features.measure(filtered.epochs, filtered.sessions, self.analysis_window))

    def quality(self, night: NightOfSource) -> Judged:
        """The night's score, band and reasons (DOMAIN F)."""
        return quality.judge(night)

    def verdicts(self, parsed: Parsed, filtered: Filtered) -> Iterator[Verdict]:
        """One verdict for each input, a twin's like its original's."""
        yield from (verdicts.unreadable(one) for one in parsed.unreadable)
        by_file: dict[str, list[Recording]] = {}
        for recording in parsed.recordings:
            by_file.setdefault(recording.file, []).append(recording)
        for file, recordings in by_file.items():
            own = [i for i, session in enumerate(filtered.sessions) if session.recording.file == file]
            sessions, parts = [filtered.sessions[i] for i in own], [filtered.parts[i] for i in own]
            if recordings[0].uploads:
                yield from verdicts.uploaded(recordings[0], sessions, parts)
                continue
            yield verdicts.recorded(file, recordings, sessions, parts, None)
            for twin in (name for name, original in parsed.twins.items() if original == file):
                yield verdicts.recorded(twin, recordings, sessions, parts, file)


def with_sleep(epochs: Epochs, judged: Sequence[Judged]) -> Epochs:
    """The merged epochs with the states that each night found."""
    sleep, quiet = epochs.sleep.copy(), epochs.quiet.copy()
    for one in judged:
        own = one.night.epochs
        rows = epochs.night == one.night.day
        sleep[rows], quiet[rows] = own.sleep[own.recorded], own.quiet[own.recorded]
    return replace(epochs, sleep=sleep, quiet=quiet) if len(judged) else epochs
