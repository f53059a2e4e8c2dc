"""What a person who looks at one night wants besides its tables: diagnostics of the pulse wave (DOMAIN F1 d), pNN (D1).

They judge nothing, and the pulse is measured once more for them, so they are no columns of the nightly tables.
`Diagnosed` is the night module with two more tables: `nightmill process FILE --diagnostics`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from engine.module import Outcome, RawFile, Source, Table, column
from engine.night.epochs import ASLEEP, Epochs, measure_pulse
from engine.night.features import NightOfSource
from engine.night.fields import F8, I8, NIGHT_DATE, SINCE, SOURCE, SUBJECT, TASK_FORCE, TIME
from engine.night.grid import EPOCH_S, EPOCH_US
from engine.night.night import Night
from engine.night.nights import Session
from engine.night.signals import calibration, motion, ppg
from engine.night.signals.intervals import Beats
from engine.night.signals.pulse_quality import MOST_LOST
from engine.night.signals.unbroken import unbroken
from engine.night.tables import OUTPUTS
from engine.night.wear import ON
from engine.night.zones import as_date
from kernels.rates import RMSSD_PAIRS
from kernels.wave import band_share, crossings, kurtosis, steps_above

INDICES = "10.3390/bioengineering3040021"
PULSE_HZ, TOP_HZ = (1.0, 2.25), 8.0
LIMITS_MS = (20.0, 50.0)
PNN = tuple(f"pnn{limit:.0f}" for limit in LIMITS_MS)
_FULL = "95 % of samples"
_PAIRS = f"{RMSSD_PAIRS} differences"

DIAGNOSTICS = Table(
    schema=pa.schema(
        [
            SUBJECT,
            SOURCE,
            column("ts", TIME, "1", "start of the 10-s epoch, a multiple of 10 s in UTC", required=True),
            *(
                column(name, kind, "1", meaning, minimum=_FULL, source=INDICES, since=SINCE)
                for name, kind, meaning in (
                    ("kurtosis", F8, "Pearson's kurtosis of the band-passed PPG (normal: 3, sine: 1.5)"),
                    ("spectral_share", F8, "power of the band-passed PPG at 1–2.25 Hz as a share of that at 0–8 Hz"),
                    ("zero_crossings", I8, "sign changes of the band-passed PPG: about two a beat of a clean pulse"),
                )
            ),
        ]
    ),
    key=("subject_id", "source_id", "ts"),
    sort=("subject_id", "source_id", "ts"),
)
"""A row for each epoch of which the PPG says something."""
DIAGNOSTICS_NIGHTS = Table(
    schema=pa.schema(
        [
            SUBJECT,
            SOURCE,
            NIGHT_DATE,
            column("nn_pairs", I8, "1", "differences of successive NN in worn sleep, none across a hole", since=SINCE),
            *(
                column(name, F8, "1", f"share above {limit:.0f} ms", minimum=_PAIRS, source=TASK_FORCE, since=SINCE)
                for name, limit in zip(PNN, LIMITS_MS, strict=True)
            ),
        ]
    ),
    key=("subject_id", "night_date", "source_id"),
    sort=("subject_id", "night_date", "source_id"),
)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Diagnosed(Night):
    """The night module with the tables `diagnostics` and `diagnostics_nights`; the others are equal to the bit."""

    @property
    def name(self) -> str:
        return "night_diagnostics"

    @property
    def outputs(self) -> dict[str, Table]:
        return {**OUTPUTS, "diagnostics": DIAGNOSTICS, "diagnostics_nights": DIAGNOSTICS_NIGHTS}

    def __call__(self, files: Sequence[RawFile], source: Source) -> Outcome:
        outcome = super().__call__(files, source)
        if not outcome.tables:
            return outcome
        filtered = self.filter(self.split(self.parse(files, source), source))
        sessions, epochs = filtered.sessions, filtered.epochs
        beats = [_beats(session) for session in sessions]
        whose = {"subject_id": source.subject_id, "source_id": source.source_id}
        nights = [{**whose, **of_intervals(night, beats)} for night in self.features(filtered)]
        tables = {
            "diagnostics": _table(of_waves(sessions, epochs), epochs.ts_us, whose),
            "diagnostics_nights": pa.Table.from_pylist(nights, DIAGNOSTICS_NIGHTS.schema),
        }
        return Outcome({**outcome.tables, **tables}, outcome.verdicts)


def of_waves(sessions: Sequence[Session], epochs: Epochs) -> Floats:
    """(3, n) float64: kurtosis, spectral share and zero crossings of each epoch; NaN where the PPG has under 95 % of
    its samples or never changes. epochs: merged; a row says which session it came from."""
    out = np.full((3, len(epochs)), np.nan)
    for number, session in enumerate(sessions):
        mine = epochs.session == number
        out[:, mine] = _of_session(session)[:, session.grid.index(epochs.ts_us[mine])]
    return out


def _of_session(session: Session) -> Floats:
    channel, grid = ppg.choose(session.recording), session.grid
    out = np.full((3, grid.n), np.nan)
    bounds_us = np.append(grid.ts_us, grid.end_us)
    for stretch in unbroken(channel) if channel is not None else ():
        fs = stretch.fs_hz
        if fs < ppg.LEAST_HZ or len(stretch) < ppg.SHORTEST_S * fs:
            continue
        wave, edges = ppg.find_pulse(stretch).x, stretch.first_at(bounds_us)
        for epoch in np.flatnonzero(np.diff(edges) >= (1 - MOST_LOST) * EPOCH_S * fs):
            x = wave[edges[epoch] : edges[epoch + 1]]
            out[:, epoch] = kurtosis(x), band_share(x, fs, *PULSE_HZ, TOP_HZ), crossings(x)
    return out


def of_intervals(night: NightOfSource, beats: Sequence[Beats]) -> dict[str, Any]:
    """The row of one night: differences of successive NN in the sleep period, worn and asleep, and shares of them.

    beats: of each session, `valid` where RMSSD would take the interval. The shares are None under 30 differences.
    """
    epochs = night.epochs
    chosen = night.within & (epochs.sleep == ASLEEP) & (epochs.wear == ON)
    pairs, above = 0, np.zeros(len(LIMITS_MS))
    for number, one in enumerate(beats):
        mine = np.isin(one.t_us // EPOCH_US * EPOCH_US, epochs.ts_us[chosen & (epochs.session == number)])
        count, over = steps_above(one.ibi_ms, one.valid & mine, LIMITS_MS)
        pairs, above = pairs + count, above + over
    shares = above / pairs if pairs >= RMSSD_PAIRS else [None] * len(LIMITS_MS)
    return {"night_date": as_date(night.day), "nn_pairs": pairs, **dict(zip(PNN, shares, strict=True))}


def _beats(session: Session) -> Beats:
    recording, grid = calibration.corrected(session.recording, session.correction), session.grid
    pulse = measure_pulse(recording, grid, motion.measure(recording, grid))
    return replace(pulse.beats, valid=pulse.trusted)


def _table(waves: Floats, ts_us: NDArray[np.int64], whose: dict[str, str]) -> pa.Table:
    there = np.isfinite(waves[2])
    peaked, share, signs = waves[:, there]
    return pa.table(
        {
            **{name: pa.repeat(who, int(there.sum())) for name, who in whose.items()},
            "ts": pa.array(ts_us[there]).cast(TIME),
            "kurtosis": pa.array(peaked, mask=np.isnan(peaked)),
            "spectral_share": pa.array(share, mask=np.isnan(share)),
            "zero_crossings": signs.astype(np.int64),
        },
        DIAGNOSTICS.schema,
    )
