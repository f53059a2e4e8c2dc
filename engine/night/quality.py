"""Quality of a night (DOMAIN F3): shares of the sleep period, a score from 0 to 100, and a band."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.night.epochs import Epochs
from engine.night.features import HOUR, MINUTE, NightOfSource, Values, valid_hr_bpm, valid_perfusion_pct
from engine.night.nights import Session, count_reboots, overlap
from engine.night.reasons import in_order
from engine.night.signals import motion, ppg, temperature
from engine.night.wear import OFF, ON
from kernels.wear import runs

GOOD_PPG, GOOD_TEMP = 0.6, 0.5
LEAST_STILL = 10
MOSTLY = 0.5
MOST_CAL_ERROR_MG = 10.0
LONG_GAP_MIN, PENALTY = 60.0, 10.0
FULL_VALID_H = 6.0
WEIGHTS = {
    "valid_h": 0.30,
    "wear_frac": 0.20,
    "ppg_good_frac": 0.20,
    "ibi_cov": 0.10,
    "temp_cov": 0.10,
    "acc_cov": 0.10,
}
CHANNELS = {
    "valid_h": ppg.CHANNELS,
    "ppg_good_frac": ppg.CHANNELS,
    "ibi_cov": ppg.CHANNELS,
    "temp_cov": (temperature.CHANNEL,),
    "acc_cov": motion.AXES,
}
BANDS = (("A", 80.0, 5.0, 0.90), ("B", 60.0, 4.0, 0.75), ("C", 40.0, 2.0, 0.0))
"""Band, least score, least valid_h, least wear_frac."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A night with its quality columns. `values` holds the features too; reasons in the documented order."""

    night: NightOfSource
    values: Values
    score: float | None
    basis: tuple[str, ...]
    band: str
    reasons: tuple[str, ...]


def judge(night: NightOfSource) -> Judged:
    """Shares, score, band and reasons. Missing data count 0: taking samples away never raises a share or score."""
    values = {**night.values, **coverage(night.epochs, night.within), **shares(night)}
    basis = score_basis(night.sessions)
    rated = {name: float(values[name] or 0.0) for name in WEIGHTS}
    clocks, gap_min = int(values["clk_flags"] or 0), float(values["longest_gap_min"] or 0.0)
    none = night.sleep.method == "none"
    score = None if none else night_score(rated, gap_min, clocks, basis)
    band = "D" if score is None else band_of(score, _hours_to_judge(values, basis), rated["wear_frac"])
    if night.sleep.method == "session" and band in ("A", "B"):
        band = "C"
    why = _why_no_sleep(night) if none else () if band == "A" else _why_not_a(night, values)
    reasons = {*night.reasons, *_codes(night), *why}
    return Judged(night, values, score, basis, band, in_order(reasons))


def _hours_to_judge(values: Values, basis: Sequence[str]) -> float:
    """valid_h; the hours worn where no device of the night could have a pulse."""
    if "valid_h" in basis:
        return float(values["valid_h"] or 0.0)
    return float(values["wear_frac"] or 0.0) * float(values["spt_h"] or 0.0)


def night_score(values: Mapping[str, float], longest_gap_min: float, clock_codes: int, basis: Sequence[str]) -> float:
    """0 to 100 from the terms in `basis`, their weights renormalised; minus 10 for a gap over 60 min and a clock code.

    >>> values = dict(valid_h=6.5, wear_frac=0.95, ppg_good_frac=0.8, ibi_cov=0.7, temp_cov=0.95, acc_cov=1.0)
    >>> round(night_score(values, 12.0, 0, tuple(values)), 9)
    91.5
    """
    rated = {**values, "valid_h": min(values["valid_h"] / FULL_VALID_H, 1.0)}
    total = sum(WEIGHTS[name] for name in basis)
    score = 100.0 * sum(WEIGHTS[name] * rated[name] for name in basis) / total
    return max(score - PENALTY * (longest_gap_min > LONG_GAP_MIN) - PENALTY * clock_codes, 0.0)


def band_of(score: float, valid_h: float, wear_frac: float) -> str:
    """A: training and clinical display. B: features and baselines. C: show only. D: reject."""
    for band, least_score, least_h, least_wear in BANDS:
        if score >= least_score and valid_h >= least_h and wear_frac >= least_wear:
            return band
    return "D"


def score_basis(sessions: Sequence[Session]) -> tuple[str, ...]:
    """Terms of the score: those of channels that no device of the night has drop out; wear always counts."""
    expected = {name for s in sessions for name in s.recording.expected}
    return tuple(name for name in WEIGHTS if name not in CHANNELS or expected.intersection(CHANNELS[name]))


def coverage(epochs: Epochs, within: NDArray[np.bool_]) -> Values:
    """Share of the period with a value, while worn."""
    worn = within & (epochs.wear == ON)
    columns = {
        "hr": valid_hr_bpm(epochs),
        "rmssd": epochs.rmssd_ms,
        "sdnn": epochs.sdnn_ms,
        "pulse_amp": epochs.pulse_amp,
        "temp": epochs.skin_temp_c,
        "enmo": epochs.enmo_mg,
        "rr": epochs.rr_brpm,
        "hrv_ratio": epochs.hrv_ratio,
        "perfusion": valid_perfusion_pct(epochs),
    }
    n = max(int(within.sum()), 1)
    return {f"coverage_{name}": float((worn & np.isfinite(values)).sum()) / n for name, values in columns.items()}


def shares(night: NightOfSource) -> Values:
    """The columns of F3 over the period, missing data counted 0; the gap within the sleep period or the recording."""
    epochs, within = night.epochs, night.within
    n = max(int(within.sum()), 1)
    worn = within & (epochs.wear == ON)
    starts, ends = runs(~epochs.recorded & _period(night))
    saturated, error = epochs.sat[within], epochs.cal_error_mg[within]
    saturated, error = saturated[np.isfinite(saturated)], error[np.isfinite(error)]
    return {
        "wear_frac": float(worn.sum()) / n,
        "valid_h": float((worn & np.isfinite(valid_hr_bpm(epochs))).sum()) / HOUR,
        "ppg_good_frac": float((worn & (epochs.q_ppg >= GOOD_PPG)).sum()) / n,
        "ibi_cov": float(np.minimum(epochs.q_ibi[within], 1.0).sum()) / n,
        "temp_cov": float((within & (epochs.q_temp >= GOOD_TEMP)).sum()) / n,
        "acc_cov": float(epochs.q_acc[within].sum()) / n,
        "longest_gap_min": float((ends - starts).max()) / MINUTE if len(starts) else 0.0,
        "n_reboots": count_reboots(night.sessions),
        "sat_frac": float(saturated.mean()) if len(saturated) else None,
        "clk_flags": len({code for s in night.sessions for code in s.recording.codes if code.startswith("CLK_")}),
        "cal_error_mg": float(error.mean()) if len(error) >= LEAST_STILL else None,
        "rmssd_floor_ms": rmssd_floor_ms(night.sessions),
    }


def rmssd_floor_ms(sessions: Sequence[Session]) -> float | None:
    """What beats told to the nearest sample of the slowest PPG would add to RMSSD in quadrature, q/√2 (DOMAIN C5).

    Ours lie between samples: on drawn pulses without noise 3.4 ms at 100 Hz, 3.5 at 64 (q/√2: 11.0), 3.9 at 25 (28.3).
    """
    channels = [channel for s in sessions if (channel := ppg.choose(s.recording)) is not None]
    rates = [segment.fs_hz for channel in channels for segment in channel.segments]
    return 1000.0 / min(rates) / math.sqrt(2.0) if rates else None


def _period(night: NightOfSource) -> NDArray[np.bool_]:
    return np.ones(len(night.epochs), np.bool_) if night.sleep.method == "none" else night.within


def _codes(night: NightOfSource) -> Iterator[str]:
    """What reading met, and what the night's local time and several recordings of it mean."""
    sessions = night.sessions
    for session in sessions:
        yield from session.recording.codes
        if not session.zone.known:
            yield "TZ_UNKNOWN"
    if len({str(s.zone.rules) for s in sessions}) > 1:
        yield "TZ_CHANGE"
    elif night.epochs.offset_s[0] != night.epochs.offset_s[-1]:
        yield "DST"
    if count_reboots(sessions):
        yield "REBOOT"
    if overlap(sessions):
        yield "MULTI_SRC"


def _why_no_sleep(night: NightOfSource) -> Iterator[str]:
    """Not worn for most of the recorded time; where wear is unknown nothing is said."""
    if (night.epochs.wear[night.within] == OFF).mean() > MOSTLY:
        yield "NONWEAR"


def _why_not_a(night: NightOfSource, values: Values) -> Iterator[str]:
    def under(name: str, least: float) -> bool:
        return float(values[name] or 0.0) < least

    epochs, within = night.epochs, night.within
    gone = {
        name: not (share[within] > 0).any()
        for name, share in (("ppg", epochs.ppg), ("temp", epochs.temp), ("acc", epochs.acc))
    }
    if any(gone.values()):
        yield "SIG_MISSING"
    if under("wear_frac", BANDS[0][3]):
        yield "NONWEAR"
    if under("spt_h", BANDS[0][2]):
        yield "SHORT"
    elif under("valid_h", BANDS[0][2]) and not gone["ppg"]:
        yield "PPG_LOW"
    if under("ppg_good_frac", 0.5) and not gone["ppg"]:
        yield "PPG_LOW"
    if under("ibi_cov", 0.5) and not gone["ppg"]:
        yield "IBI_SPARSE"
    if under("temp_cov", 0.5) and not gone["temp"]:
        yield "TEMP_UNSTABLE"
    if float(values["longest_gap_min"] or 0.0) > LONG_GAP_MIN or (under("acc_cov", 0.9) and not gone["acc"]):
        yield "GAP"
    if float(values["cal_error_mg"] or 0.0) > MOST_CAL_ERROR_MG:
        yield "ACC_UNCAL"
