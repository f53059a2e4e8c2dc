"""What really happened in a generated night, epoch by epoch, and where it is kept: beside the input, never inside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.simulate.heart import Heart
from engine.simulate.plan import Person, Schedule, asleep, inside
from engine.simulate.wrist import Poses, unrest_at

EPOCH_S = 10
BREATH_S = 32
TIME = pl.Datetime("us", "UTC")


@dataclass(frozen=True, slots=True)
class NightTruth:
    """The truth of one night. Times are UTC µs. `files` are relative to the root and hold this night; `dirt` says what
    was done to them. `epochs`: one row for each whole 10 s of the UTC grid with ts, hr_bpm (60000 / median interval of
    30 s), rmssd_ms (60 s), rr_brpm (breaths drawn in 32 s), sleep, wear, skin_temp_c, unrest_g; null where the window
    leaves the recording."""

    subject_id: str
    zone: str
    night_date: date
    start_us: int
    end_us: int
    spt_onset_us: int
    spt_end_us: int
    not_worn_us: tuple[tuple[int, int], ...]
    files: tuple[str, ...]
    dirt: tuple[str, ...]
    beats_us: NDArray[np.int64]
    epochs: pl.DataFrame

    def row(self) -> dict[str, object]:
        """This night in the table `nights`."""
        return {
            "subject_id": self.subject_id,
            "zone": self.zone,
            "night_date": self.night_date,
            "wake_date": self.night_date + timedelta(days=1),
            "start": self.start_us,
            "end": self.end_us,
            "spt_onset": self.spt_onset_us,
            "spt_end": self.spt_end_us,
            "not_worn_h": sum(end - start for start, end in self.not_worn_us) / 3.6e9,
            "files": list(self.files),
            "dirt": list(self.dirt),
        }


@dataclass(frozen=True, slots=True)
class Truths:
    """The truth of one generated input: its nights, and its files that hold no night (name → what they are)."""

    nights: tuple[NightTruth, ...]
    strays: Mapping[str, str]

    def table(self) -> pl.DataFrame:
        """One row a night."""
        times = [pl.col(name).cast(TIME) for name in ("start", "end", "spt_onset", "spt_end")]
        return pl.DataFrame([night.row() for night in self.nights]).with_columns(times)

    def epochs(self) -> pl.DataFrame:
        """All nights' epochs, with subject_id and night_date in front."""
        return pl.concat([_labelled(night, night.epochs) for night in self.nights])

    def beats(self) -> pl.DataFrame:
        """Every heart beat: subject_id, night_date, ts."""
        frames = [pl.DataFrame({"ts": pl.Series(night.beats_us).cast(TIME)}) for night in self.nights]
        return pl.concat([_labelled(night, frame) for night, frame in zip(self.nights, frames, strict=True)])

    def save(self, folder: Path) -> None:
        """Write nights, epochs, beats and strays as Parquet."""
        folder.mkdir(parents=True, exist_ok=True)
        self.table().write_parquet(folder / "nights.parquet")
        self.epochs().write_parquet(folder / "epochs.parquet")
        self.beats().write_parquet(folder / "beats.parquet")
        strays = {"file": list(self.strays), "kind": list(self.strays.values())}
        pl.DataFrame(strays, schema={"file": pl.String, "kind": pl.String}).write_parquet(folder / "strays.parquet")


def _labelled(night: NightTruth, frame: pl.DataFrame) -> pl.DataFrame:
    label = [pl.lit(night.subject_id).alias("subject_id"), pl.lit(night.night_date).alias("night_date")]
    return frame.select(*label, pl.all())


def tell(person: Person, schedule: Schedule, poses: Poses, heart: Heart, true_c: NDArray[np.float64]) -> NightTruth:
    """The truth of a night as drawn, before any file is written."""

    def clock(seconds: float) -> int:
        return schedule.start_us + round(seconds * 1_000_000)

    beats_us = schedule.start_us + np.rint(heart.beats_s * 1e6).astype(np.int64)
    return NightTruth(
        subject_id=person.subject_id,
        zone=person.zone,
        night_date=schedule.night_date,
        start_us=schedule.start_us,
        end_us=clock(schedule.duration_s),
        spt_onset_us=clock(schedule.sleep.start_s),
        spt_end_us=clock(schedule.sleep.end_s),
        not_worn_us=tuple((clock(s), clock(min(e, schedule.duration_s))) for s, e in schedule.off_wrist),
        files=(),
        dirt=(),
        beats_us=beats_us,
        epochs=_epochs(schedule, poses, heart, beats_us, true_c),
    )


def _epochs(
    schedule: Schedule, poses: Poses, heart: Heart, beats_us: NDArray[np.int64], true_c: NDArray[np.float64]
) -> pl.DataFrame:
    start_s = schedule.start_us // 1_000_000
    first_s = -(-start_s // EPOCH_S) * EPOCH_S
    ts_s = np.arange(first_s, start_s + schedule.duration_s - EPOCH_S + 1, EPOCH_S)
    rel = ts_s - start_s
    seconds = np.arange(schedule.duration_s, dtype=np.float64) + 0.5
    window = rel[:, None] + np.arange(EPOCH_S)
    hr_bpm, rmssd_ms = rates(beats_us, ts_s * 1_000_000)
    centre, half = np.asarray(rel + EPOCH_S / 2, np.float64), BREATH_S / 2
    breaths = heart.breaths_at(centre + half) - heart.breaths_at(centre - half)
    inner = (rel >= 25) & (rel + EPOCH_S + 25 <= schedule.duration_s)
    return pl.DataFrame(
        {
            "ts": pl.Series(ts_s * 1_000_000).cast(TIME),
            "hr_bpm": np.where(inner, hr_bpm, np.nan),
            "rmssd_ms": np.where(inner, rmssd_ms, np.nan),
            "rr_brpm": np.where(inner, 60 * breaths / BREATH_S, np.nan),
            "sleep": asleep(schedule, seconds)[window].mean(axis=1) > 0.5,
            "wear": ~inside(schedule.off_wrist, seconds)[window].any(axis=1),
            "skin_temp_c": true_c[window].mean(axis=1),
            "unrest_g": unrest_at(poses, seconds)[window].max(axis=1),
        }
    ).with_columns(pl.col("hr_bpm", "rmssd_ms", "rr_brpm").fill_nan(None))


def rates(beats_us: NDArray[np.int64], ts_us: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """beats_us: (n,) µs, ts_us: (k,) µs, starts of 10-s epochs → hr_bpm (k,) over 30 s and rmssd_ms (k,) over 60 s,
    centred; NaN without intervals. An interval belongs to the beat that ends it."""
    ends = beats_us[1:]
    nn_ms = np.diff(beats_us) / 1000
    centre = ts_us + 5_000_000
    low, high = np.searchsorted(ends, centre - 15_000_000), np.searchsorted(ends, centre + 15_000_000)
    hr = [60000 / np.median(nn_ms[a:b]) if b > a else np.nan for a, b in zip(low, high, strict=True)]
    squares = np.concatenate([[0.0, 0.0], np.cumsum(np.diff(nn_ms) ** 2)])
    low, high = np.searchsorted(ends, centre - 30_000_000), np.searchsorted(ends, centre + 30_000_000)
    pairs = np.maximum(high - low - 1, 0)
    total = squares[high] - squares[np.minimum(low + 1, len(squares) - 1)]
    rmssd = np.sqrt(np.where(pairs > 0, total / np.maximum(pairs, 1), np.nan))
    return np.array(hr), rmssd
