"""Epochs of one session: every stage's columns side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.night import wear
from engine.night.grid import Grid
from engine.night.nights import Session
from engine.night.reasons import BIT
from engine.night.recording import Channel, Recording
from engine.night.signals import breathing, calibration, motion, perfusion, ppg, spectrum, temperature

LEAST_SHARE = 0.9
ASLEEP, AWAKE, UNKNOWN = 1, 0, -1
MOVEMENT = ("enmo_mg", "mad_mg", "angle_z_deg", "angle5_deg", "cal_error_mg", "q_acc")


@dataclass(frozen=True, slots=True)
class Epochs:
    """Columns over n epochs, in time order. float64 unless said; NaN = missing.

    ts_us: int64 UTC µs. night: int32, days since 1970 of the evening. offset_s: int64, local minus UTC. angle5_deg:
    (n, 2). wear, sleep, quiet, rr_n: int8, −1 = unknown. acc, ppg, temp, other: share of the channel's samples present.
    temp_c: mean whether worn or not; skin_temp_c only where worn (set by `settle`). session: int32, which session the
    row came from. recorded: bool, False only in rows that `dense` fills in. still_g: (n, 3), mean of still windows.
    """

    ts_us: NDArray[np.int64]
    night: NDArray[np.int32]
    offset_s: NDArray[np.int64]
    hr_bpm: NDArray[np.float64]
    rmssd_ms: NDArray[np.float64]
    sdnn_ms: NDArray[np.float64]
    pulse_amp: NDArray[np.float64]
    temp_c: NDArray[np.float64]
    skin_temp_c: NDArray[np.float64]
    enmo_mg: NDArray[np.float64]
    mad_mg: NDArray[np.float64]
    angle_z_deg: NDArray[np.float64]
    angle5_deg: NDArray[np.float64]
    cal_error_mg: NDArray[np.float64]
    sleep: NDArray[np.int8]
    wear: NDArray[np.int8]
    q_ppg: NDArray[np.float64]
    q_ibi: NDArray[np.float64]
    q_temp: NDArray[np.float64]
    q_acc: NDArray[np.float64]
    sat: NDArray[np.float64]
    acc: NDArray[np.float64]
    ppg: NDArray[np.float64]
    temp: NDArray[np.float64]
    other: NDArray[np.float64]
    reasons: NDArray[np.int64]
    session: NDArray[np.int32]
    recorded: NDArray[np.bool_]
    rr_brpm: NDArray[np.float64]
    rr_n: NDArray[np.int8]
    lf_ms2: NDArray[np.float64]
    hf_ms2: NDArray[np.float64]
    hrv_ratio: NDArray[np.float64]
    perfusion_index_pct: NDArray[np.float64]
    quiet: NDArray[np.int8]
    still_g: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.ts_us)

    def take(self, index: NDArray[np.int64] | NDArray[np.bool_] | slice) -> Epochs:
        """The rows of an index; themselves, not a copy, if a mask takes all."""
        if isinstance(index, np.ndarray) and index.dtype == np.bool_ and index.all():
            return self
        return Epochs(*(getattr(self, f.name)[index] for f in fields(self)))


def concatenate(parts: Sequence[Epochs]) -> Epochs:
    return Epochs(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Epochs)))


def blank(n: int) -> Epochs:
    """n rows without any value: floats NaN, shares and marks 0, wear and sleep unknown, not recorded."""
    nan, zero = np.full(n, np.nan), np.zeros(n)
    unknown = np.full(n, UNKNOWN, np.int8)
    whole = np.zeros(n, np.int64)
    special: dict[str, NDArray[np.generic]] = {
        "ts_us": whole,
        "night": np.zeros(n, np.int32),
        "offset_s": whole,
        "angle5_deg": np.full((n, motion.SLOTS), np.nan),
        "sleep": unknown,
        "wear": unknown,
        "rr_n": unknown,
        "quiet": unknown,
        "still_g": np.full((n, len(motion.AXES)), np.nan),
        "q_ppg": zero,
        "q_ibi": zero,
        "q_temp": zero,
        "q_acc": zero,
        "acc": zero,
        "ppg": zero,
        "temp": zero,
        "other": zero,
        "reasons": whole,
        "session": np.full(n, -1, np.int32),
        "recorded": np.zeros(n, np.bool_),
    }
    return Epochs(**{f.name: special.get(f.name, nan) for f in fields(Epochs)})


def dense(epochs: Epochs) -> Epochs:
    """The same epochs with a blank row for each ten seconds in between in which nothing was recorded."""
    grid = Grid(int(epochs.ts_us[0]), int(epochs.ts_us[-1] - epochs.ts_us[0]) // 10_000_000 + 1)
    if grid.n == len(epochs):
        return epochs
    at = grid.index(epochs.ts_us)
    empty = blank(grid.n)
    columns = {}
    for f in fields(Epochs):
        column = getattr(empty, f.name).copy()
        column[at] = getattr(epochs, f.name)
        columns[f.name] = column
    columns["ts_us"] = grid.ts_us
    last = np.maximum.accumulate(np.where(columns["recorded"], np.arange(grid.n), 0))
    columns["offset_s"] = columns["offset_s"][last]
    columns["night"] = columns["night"][last]
    return Epochs(**columns)


def measure(session: Session, number: int) -> Epochs:
    """All stages over one session; only the rows in which a channel gave a sample."""
    recording, grid = calibration.corrected(session.recording, session.correction), session.grid
    moved = motion.measure(recording, grid)
    heat = temperature.measure(recording.channels.get(temperature.CHANNEL), grid)
    pulse = measure_pulse(recording, grid, moved)
    signs = _pulse_signs(recording, grid, pulse)
    ts_us = grid.ts_us
    columns: dict[str, NDArray[Any]] = {
        "ts_us": ts_us,
        "night": session.night(ts_us),
        "offset_s": session.zone.offset_s(ts_us),
        "wear": wear.judge(grid.n, moved, heat, signs),
        "other": _others(recording, grid),
        "session": np.full(grid.n, number, np.int32),
        **_of_pulse(recording, grid, pulse),
    }
    if moved is not None:
        columns |= {name: getattr(moved, name) for name in MOVEMENT}
        columns |= {"acc": moved.present, "still_g": calibration.still_g(moved, session.recording)}
    if heat is not None:
        columns |= {"temp_c": heat.mean_c, "q_temp": heat.steady, "temp": heat.present}
    row = replace(blank(grid.n), **columns)
    recorded = (row.acc > 0) | (row.ppg > 0) | (row.temp > 0) | (row.other > 0)
    reasons = row.reasons | _reasons(row, session)
    return replace(row, recorded=recorded, reasons=reasons).take(recorded)


def measure_pulse(recording: Recording, grid: Grid, moved: motion.MotionEpochs | None) -> ppg.PulseEpochs:
    """The pulse beside what moved. Acceleration that was recorded and cannot be used (masked, clipped, under 90 % of an
    epoch) may hide movement, and counts as movement."""
    if moved is None:
        return ppg.measure(recording, grid, np.full(grid.n, np.nan))
    hidden = np.isnan(moved.enmo_mg) & _sampled(recording.channels[motion.AXES[0]], grid)
    return ppg.measure(recording, grid, np.where(hidden, np.inf, moved.enmo_mg))


def _of_pulse(recording: Recording, grid: Grid, pulse: ppg.PulseEpochs) -> dict[str, NDArray[Any]]:
    """Columns of the pulse and of what follows from its beats: breathing, spectrum and perfusion."""
    breath = breathing.measure(pulse, grid)
    powers = spectrum.measure(pulse, grid)
    return {
        "hr_bpm": pulse.hr_bpm,
        "rmssd_ms": pulse.rmssd_ms,
        "sdnn_ms": pulse.sdnn_ms,
        "pulse_amp": pulse.pulse_amp,
        "q_ppg": np.nan_to_num(pulse.q_ppg, nan=0.0),
        "q_ibi": np.nan_to_num(pulse.q_ibi, nan=0.0),
        "ppg": pulse.present,
        "sat": np.where(pulse.present > 0, pulse.sat, np.nan),
        "rr_brpm": breath.rr_brpm,
        "rr_n": breath.rr_n,
        "lf_ms2": powers.lf_ms2,
        "hf_ms2": powers.hf_ms2,
        "hrv_ratio": powers.hrv_ratio,
        "perfusion_index_pct": perfusion.measure(recording, grid, pulse.pulse_amp),
        "reasons": pulse.reasons | breath.reasons,
    }


def _pulse_signs(recording: Recording, grid: Grid, pulse: ppg.PulseEpochs) -> wear.PulseSigns | None:
    """Where PPG was sampled, and where it shows no pulse: a masked flat line was sampled and shows none."""
    channel = ppg.choose(recording)
    if channel is None or not channel.segments:
        return None
    absent = pulse.no_pulse | (pulse.present < LEAST_SHARE)
    return wear.PulseSigns(_sampled(channel, grid), absent, pulse.q_ppg >= ppg.GOOD)


def _sampled(channel: Channel, grid: Grid) -> NDArray[np.bool_]:
    """(n,) bool: epochs of which the channel has a sample, masked or not."""
    sampled = np.zeros(grid.n, np.bool_)
    for segment in channel.segments:
        first, last = grid.index([segment.t0_us, segment.end_us - 1]).tolist()
        sampled[max(first, 0) : last + 1] = True
    return sampled


def _others(recording: Recording, grid: Grid) -> NDArray[np.float64]:
    """Largest share of samples of the channels that no feature uses, such as EDA; the device's own results are none."""
    used = {*motion.AXES, *ppg.CHANNELS, temperature.CHANNEL}
    shares = [
        temperature.present_and_mean(channel, grid)[0]
        for name, channel in recording.channels.items()
        if name not in used and not channel.info.get("derived")
    ]
    result: NDArray[np.float64] = np.max(shares, axis=0) if shares else np.zeros(grid.n)
    return result


def _reasons(row: Epochs, session: Session) -> NDArray[np.int64]:
    """What can be said of an epoch by itself: lost channels, gaps, clipping, unknown zone."""
    bits = np.zeros(len(row), np.int64)
    expected = session.recording.expected
    for share, names in ((row.acc, motion.AXES), (row.ppg, ppg.CHANNELS), (row.temp, (temperature.CHANNEL,))):
        if not share.any():
            bits |= BIT["SIG_MISSING"] * int(any(name in expected for name in names))
        else:
            bits |= np.where(share < LEAST_SHARE, BIT["GAP"], 0)
    bits |= np.where((row.acc >= LEAST_SHARE) & (row.q_acc == 0), BIT["SAT"], 0)
    return bits | (0 if session.zone.known else BIT["TZ_UNKNOWN"])
