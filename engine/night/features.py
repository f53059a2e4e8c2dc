"""Nightly features (DOMAIN E): each present where its least data are there, else null with a reason.

A heart rate is valid at q_ppg ≥ 0.6, as in hourly vitals: on generated nights with noise in 60 % of the time the mean
of all rates was 20 to 28 bpm too high, of valid ones at most 0.7. Variability has its own, stricter rule
(`pulse_quality`); temperature and movement do not depend on the pulse.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.night.epochs import ASLEEP, AWAKE, UNKNOWN, Epochs, dense
from engine.night.grid import EPOCH_S, EPOCH_US
from engine.night.nights import Session
from engine.night.reasons import BIT
from engine.night.signals.ppg import GOOD
from engine.night.sleep import Sleep, find
from engine.night.wear import ON
from kernels.percentile import median, percentile, percentiles
from kernels.rolling import rolling_mean, rolling_median
from kernels.wear import runs

MINUTE = 60 // EPOCH_S
HOUR = 60 * MINUTE
FIVE_MINUTES = 5 * MINUTE
LEAST_IN_FIVE = FIVE_MINUTES // 3
LEAST = 2 * HOUR
LEAST_RMSSD = HOUR
LEAST_SDNN = 6 * FIVE_MINUTES
LEAST_SLOPE = 540
LEAST_RR = HOUR
LEAST_RR_QUIET = 15 * MINUTE
STILL_MG = 5.0
QUIET = 1
STABLE_C = 0.2
ONSET_US = 30 * MINUTE * EPOCH_US
SLOPE_US = 2 * HOUR * EPOCH_US
TRIM_HEAD_US, TRIM_TAIL_US, TRIM_LEAST = 90 * MINUTE * EPOCH_US, 30 * MINUTE * EPOCH_US, 4 * HOUR
ALMOST = 1e-6

HEART = ("rhr_p10", "hr_mean", "hr_median", "hr_min5", "hr_nadir_rel")
WST = ("wst_mean", "wst_median", "wst_p05")

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Values = dict[str, float | int | None]


@dataclass(frozen=True, slots=True)
class NightOfSource:
    """One night of one Source.

    epochs: dense, `sleep` and `quiet` set. within: (n,) bool, the epoch lies in the sleep period, or was recorded where
    there is none: the denominator of all shares. values: features by column. reasons: why some of them are null.
    """

    day: int
    epochs: Epochs
    sessions: tuple[Session, ...]
    sleep: Sleep
    within: Bools
    values: Values
    reasons: frozenset[str]


def measure(epochs: Epochs, sessions: tuple[Session, ...], analysis_window: str) -> Iterator[NightOfSource]:
    """The nights that got at least an hour of any channel. epochs: merged, in time order."""
    for day in np.unique(epochs.night).tolist():
        own = epochs.take(epochs.night == day)
        if max(float(share.sum()) for share in (own.acc, own.ppg, own.temp, own.other)) >= HOUR - ALMOST:
            here = tuple(s for s in sessions if day in s.night(s.grid.ts_us))
            yield describe(day, dense(own), here, analysis_window)


def describe(day: int, epochs: Epochs, sessions: tuple[Session, ...], analysis_window: str) -> NightOfSource:
    """Sleep and features of one night. epochs: dense. A night without a sleep period has no features (DOMAIN B3)."""
    sleep = find(epochs, sessions[0].zone)
    epochs = replace(epochs, sleep=sleep.state)
    if sleep.method == "none":
        return NightOfSource(day, epochs, sessions, sleep, epochs.recorded, {}, frozenset({"NO_SPT"}))
    within = (epochs.ts_us >= sleep.onset_us) & (epochs.ts_us < sleep.end_us)
    asleep = (epochs.sleep == ASLEEP) & (epochs.wear == ON)
    chosen = asleep & within
    if analysis_window == "ava2019":
        chosen &= epochs.ts_us >= sleep.onset_us + TRIM_HEAD_US
        chosen &= epochs.ts_us < sleep.end_us - TRIM_TAIL_US
        chosen &= chosen.sum() >= TRIM_LEAST
    hr = _only(valid_hr_bpm(epochs), chosen)
    usual_bpm = median(hr[np.isfinite(hr)]) if np.isfinite(hr).sum() >= LEAST else None  # the whole night's
    epochs = replace(epochs, quiet=_quiet(epochs, hr, usual_bpm, sleep))
    values = {
        **_heart(epochs, chosen, hr, usual_bpm, sleep),
        **_temperature(epochs, chosen, sleep),
        "wst_slope_onset": _slope_at_onset(epochs, asleep & within, sleep),
        **_movement(epochs, chosen, usual_bpm is not None),
        **_breath(epochs, chosen),
        **_sleep(epochs, sleep),
    }
    reasons = frozenset(_why_null(values, epochs, within, chosen))
    return NightOfSource(day, epochs, sessions, sleep, within, values, reasons)


def valid_hr_bpm(epochs: Epochs) -> Floats:
    """(n,) float64: hr_bpm where the pulse is good, else NaN."""
    return _only(epochs.hr_bpm, epochs.q_ppg >= GOOD)


def valid_perfusion_pct(epochs: Epochs) -> Floats:
    """(n,) float64: perfusion_index_pct where the pulse is good, else NaN."""
    return _only(epochs.perfusion_index_pct, epochs.q_ppg >= GOOD)


def _heart(epochs: Epochs, chosen: Bools, hr: Floats, usual_bpm: float | None, sleep: Sleep) -> Values:
    rmssd, sdnn = _present(epochs.rmssd_ms, chosen), _present(epochs.sdnn_ms, chosen)
    rmssd_median = median(rmssd) if len(rmssd) >= LEAST_RMSSD else None
    values: Values = {
        "rmssd_median": rmssd_median,
        "ln_rmssd": float(np.log(rmssd_median)) if rmssd_median else None,
        "sdnn_median": median(sdnn) if len(sdnn) >= LEAST_SDNN else None,
    }
    half = FIVE_MINUTES // 2
    course = _only(rolling_median(hr, half, half - 1, LEAST_IN_FIVE), chosen)
    means = rolling_mean(hr, 0, FIVE_MINUTES - 1, LEAST_IN_FIVE)
    if usual_bpm is None or not np.isfinite(means).any() or not np.isfinite(course).any():
        return {**dict.fromkeys(HEART), **values}
    lowest = int(np.nanargmin(means))
    centre_us = int(epochs.ts_us[lowest]) + half * EPOCH_US
    return {
        "rhr_p10": percentile(course, 10.0),
        "hr_mean": float(hr[np.isfinite(hr)].mean()),
        "hr_median": usual_bpm,
        "hr_min5": float(means[lowest]),
        "hr_nadir_rel": min(max((centre_us - sleep.onset_us) / (sleep.end_us - sleep.onset_us), 0.0), 1.0),
        **values,
    }


def _temperature(epochs: Epochs, chosen: Bools, sleep: Sleep) -> Values:
    temp = epochs.skin_temp_c
    half = FIVE_MINUTES // 2
    change = np.full(len(temp), np.nan)
    change[half:-half] = np.abs(temp[2 * half :] - temp[: -2 * half])
    late = epochs.ts_us >= sleep.onset_us + ONSET_US
    stable = _present(temp, chosen & late & (change <= STABLE_C))
    present = _present(temp, chosen)
    values: Values = {"wst_p99_stable": percentile(stable, 99.0) if len(stable) >= LEAST else None}
    if len(present) < LEAST:
        return {**dict.fromkeys(WST), **values}
    return {
        "wst_mean": float(present.mean()),
        "wst_median": median(present),
        "wst_p05": percentile(present, 5.0),
        **values,
    }


def _slope_at_onset(epochs: Epochs, asleep: Bools, sleep: Sleep) -> float | None:
    """Least squares over the first 2 h of the sleep period, whatever the analysis window."""
    early = asleep & (epochs.ts_us < sleep.onset_us + SLOPE_US) & np.isfinite(epochs.skin_temp_c)
    if early.sum() < LEAST_SLOPE:
        return None
    hours = (epochs.ts_us[early] - sleep.onset_us) / (HOUR * EPOCH_US)
    temp = epochs.skin_temp_c[early]
    centred = hours - hours.mean()
    return float((centred * (temp - temp.mean())).sum() / (centred**2).sum())


def _breath(epochs: Epochs, chosen: Bools) -> Values:
    rr, perfusion = _present(epochs.rr_brpm, chosen), _present(valid_perfusion_pct(epochs), chosen)
    height = _present(epochs.pulse_amp, chosen & (epochs.q_ppg >= GOOD))
    quiet = _present(epochs.rr_brpm, epochs.quiet == QUIET)
    ratio = _present(epochs.hrv_ratio, chosen)
    enough = len(rr) >= LEAST_RR
    low, high = percentiles(rr, 25.0, 75.0)
    return {
        "rr_median": median(rr) if enough else None,
        "rr_quiet_median": median(quiet) if len(quiet) >= LEAST_RR_QUIET else None,
        "rr_iqr": high - low if enough else None,
        "hrv_ratio_median": median(ratio) if len(ratio) >= LEAST_SDNN else None,
        "pulse_amp_median": median(height) if len(height) >= LEAST else None,
        "perfusion_median": median(perfusion) if len(perfusion) >= LEAST else None,
    }


def _quiet(epochs: Epochs, hr: Floats, usual_bpm: float | None, sleep: Sleep) -> NDArray[np.int8]:
    """(n,) int8: 1 in quiet sleep: long bouts without posture change or movement, the heart at most at its median.

    0 in other sleep and awake; −1 outside the chosen sleep and where rate or movement is unknown, all of the night
    where the median is.
    """
    if usual_bpm is None:
        return np.full(len(hr), UNKNOWN, np.int8)
    quiet = sleep.long_bout & (epochs.enmo_mg < STILL_MG) & (hr <= usual_bpm)
    known = (np.isfinite(hr) & np.isfinite(epochs.enmo_mg)) | (epochs.sleep == AWAKE)
    return np.where(known, quiet, UNKNOWN).astype(np.int8)


def _movement(epochs: Epochs, chosen: Bools, told: bool) -> Values:
    """told: whether quiet sleep is."""
    enmo = _present(epochs.enmo_mg, chosen)
    values: Values = {"enmo_mean": None, "still_frac": None, "quiet_frac": None}
    if len(enmo) < LEAST:
        return values
    values |= {"enmo_mean": float(enmo.mean()), "still_frac": float((enmo < STILL_MG).mean())}
    if told:
        values["quiet_frac"] = float((epochs.quiet == QUIET).sum() / chosen.sum())
    return values


def _sleep(epochs: Epochs, sleep: Sleep) -> Values:
    spt_h = (sleep.end_us - sleep.onset_us) / (HOUR * EPOCH_US)
    tst_h = float((epochs.sleep == ASLEEP).sum()) / HOUR
    starts, ends = runs(epochs.sleep == AWAKE)
    return {
        "spt_onset": sleep.onset_us,
        "spt_end": sleep.end_us,
        "spt_h": spt_h,
        "tst_h": tst_h,
        "waso_min": float((epochs.sleep == AWAKE).sum()) / MINUTE,
        "sleep_eff": tst_h / spt_h,
        "n_awake": int((ends - starts >= FIVE_MINUTES).sum()),
    }


def _why_null(values: Values, epochs: Epochs, within: Bools, chosen: Bools) -> Iterator[str]:
    """A reason for every null: the channel is not there, the night too short, not worn, awake, or the signal poor."""
    good = (chosen & (epochs.q_ppg >= GOOD)).sum()
    no_dc = (epochs.reasons[within] & BIT["NO_DC"]).any()
    causes = (
        (HEART, epochs.ppg, LEAST, "PPG_LOW"),
        (("rmssd_median", "ln_rmssd"), epochs.ppg, LEAST_RMSSD, "IBI_SPARSE"),
        (("sdnn_median",), epochs.ppg, LEAST_SDNN, "IBI_SPARSE"),
        (WST, epochs.temp, LEAST, "TEMP_UNSTABLE"),
        (("wst_p99_stable",), epochs.temp, LEAST, "TEMP_UNSTABLE"),
        (("wst_slope_onset",), epochs.temp, LEAST_SLOPE, "TEMP_UNSTABLE"),
        (("enmo_mean", "still_frac"), epochs.acc, LEAST, "GAP"),
        (("quiet_frac",), np.minimum(epochs.acc, epochs.ppg), LEAST, "PPG_LOW"),
        (("rr_median", "rr_iqr"), epochs.ppg, LEAST_RR, "RR_UNSURE" if good >= LEAST_RR else "PPG_LOW"),
        (("rr_quiet_median",), epochs.ppg, LEAST_RR, "RR_UNSURE" if good >= LEAST else "PPG_LOW"),
        (("pulse_amp_median",), epochs.ppg, LEAST, "PPG_LOW"),
        (("hrv_ratio_median",), epochs.ppg, LEAST_SDNN, "IBI_SPARSE"),
        (("perfusion_median",), epochs.ppg, LEAST, "NO_DC" if no_dc else "PPG_LOW"),
    )
    worn = within & (epochs.wear == ON)
    for names, share, least, otherwise in causes:
        if all(values[name] is not None for name in names):
            continue
        if not (share[within] > 0).any():
            yield "SIG_MISSING"
        elif within.sum() < least:
            yield "SHORT"
        elif worn.sum() < least:
            yield "NONWEAR"
        elif chosen.sum() < least:
            yield "MOTION" if (worn & (epochs.sleep == AWAKE)).sum() >= worn.sum() - least else "SHORT"
        else:
            yield otherwise


def _only(values: Floats, chosen: Bools) -> Floats:
    result: Floats = np.where(chosen, values, np.nan)
    return result


def _present(values: Floats, chosen: Bools) -> Floats:
    result: Floats = values[chosen & np.isfinite(values)]
    return result
