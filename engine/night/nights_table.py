"""The table of nights: every column with unit, meaning, least data and source."""

from __future__ import annotations

import pyarrow as pa

from engine.module import Table, column
from engine.night.fields import (
    BRACELET,
    CALIBRATION,
    ENMO,
    F8,
    HDCZA,
    I8,
    NIGHT_DATE,
    PULSE_CYCLE,
    SHAFFER,
    SIB,
    SINCE,
    SOURCE,
    SQI,
    SUBJECT,
    TASK_FORCE,
    TEXT,
    TIME,
    WST,
)

_TWO_HOURS = "720 epochs"
_HEADER = [
    SUBJECT,
    SOURCE,
    NIGHT_DATE,
    column("wake_date", pa.date32(), "1", "night_date + 1 day", required=True),
    column("start", TIME, "1", "first recorded epoch of the night"),
    column("end", TIME, "1", "end of the last recorded epoch of the night"),
    column("recorded_h", F8, "h", "time in which any channel was recorded"),
    column("wear_h", F8, "h", "time worn"),
    column(
        "spt_method",
        TEXT,
        "1",
        "hdcza; hdcza_fixed, its fixed threshold, under 12 h recorded; session, the longest time worn, without "
        "acceleration; none. A sleep period has 3 h, at night but for hdcza",
        source=HDCZA,
    ),
    column("cal_id", TEXT, "1", "accelerometer calibration in force (+: two); identity for none", source=CALIBRATION),
]
_HEART = [
    column(
        "rhr_p10",
        F8,
        "bpm",
        "10th percentile of the 5-min running median of hr_bpm where q_ppg is at least 0.6, asleep and worn",
        minimum=_TWO_HOURS,
        source=PULSE_CYCLE,
    ),
    column("hr_mean", F8, "bpm", "mean of hr_bpm where q_ppg is at least 0.6, asleep and worn", minimum=_TWO_HOURS),
    column("hr_median", F8, "bpm", "median of hr_bpm where q_ppg is at least 0.6, asleep and worn", minimum=_TWO_HOURS),
    column(
        "hr_min5",
        F8,
        "bpm",
        "lowest 5-min mean of hr_bpm where q_ppg is at least 0.6, asleep and worn",
        minimum=_TWO_HOURS,
    ),
    column("hr_nadir_rel", F8, "1", "time of hr_min5 as a fraction of the sleep period", minimum=_TWO_HOURS),
    column("rmssd_median", F8, "ms", "median of rmssd_ms, asleep and worn", minimum="360 epochs", source=SHAFFER),
    column("ln_rmssd", F8, "1", "natural logarithm of rmssd_median", minimum="360 epochs", source=SHAFFER),
    column(
        "sdnn_median",
        F8,
        "ms",
        "median of sdnn_ms, asleep and worn",
        minimum="6 windows of 5 min (180 epochs)",
        source=TASK_FORCE,
    ),
]
_TEMPERATURE = [
    column(
        "wst_p99_stable",
        F8,
        "Cel",
        "99th percentile of skin_temp_c over epochs that change by at most 0.2 °C in 5 min, from 30 min after sleep "
        "onset, asleep and worn",
        minimum=_TWO_HOURS,
        source=WST,
    ),
    column("wst_mean", F8, "Cel", "mean of skin_temp_c, asleep and worn", minimum=_TWO_HOURS),
    column("wst_median", F8, "Cel", "median of skin_temp_c, asleep and worn", minimum=_TWO_HOURS),
    column("wst_p05", F8, "Cel", "5th percentile of skin_temp_c, asleep and worn", minimum=_TWO_HOURS),
    column(
        "wst_slope_onset",
        F8,
        "Cel/h",
        "slope of skin_temp_c in the first 2 h of the sleep period, asleep and worn",
        minimum="540 epochs",
    ),
]
_SLEEP = [
    column("enmo_mean", F8, "mg", "mean of enmo_mg, asleep and worn", minimum=_TWO_HOURS, source=ENMO),
    column(
        "still_frac",
        F8,
        "1",
        "share of epochs with enmo_mg below 5 mg, asleep and worn",
        minimum=_TWO_HOURS,
        source=ENMO,
    ),
    column("spt_onset", TIME, "1", "start of the sleep period time window", source=HDCZA),
    column("spt_end", TIME, "1", "end of the sleep period time window", source=HDCZA),
    column("spt_h", F8, "h", "length of the sleep period time window", source=HDCZA),
    column("tst_h", F8, "h", "total sleep time inside the sleep period", source=SIB),
    column("waso_min", F8, "min", "time awake inside the sleep period", source=SIB),
    column("sleep_eff", F8, "1", "tst_h / spt_h", source=SIB),
    column("n_awake", I8, "1", "bouts awake of 5 min or longer inside the sleep period"),
    column(
        "quiet_frac",
        F8,
        "1",
        "share of sleep in bouts of 15 min or longer without posture change, below 5 mg, with HR at most the median",
        minimum=_TWO_HOURS,
    ),
]
_COVERAGE = [
    column(f"coverage_{name}", F8, "1", f"share of the sleep period (none: of the recorded time) with {meaning}")
    for name, meaning in (
        ("hr", "hr_bpm while worn and q_ppg of at least 0.6"),
        ("rmssd", "rmssd_ms while worn"),
        ("sdnn", "sdnn_ms while worn"),
        ("pulse_amp", "pulse_amp while worn"),
        ("temp", "skin_temp_c"),
        ("enmo", "enmo_mg while worn"),
    )
]
_QUALITY = [
    column("wear_frac", F8, "1", "share of the sleep period (none: of the recorded time) worn"),
    column("valid_h", F8, "h", "time worn with hr_bpm and q_ppg of at least 0.6"),
    column("ppg_good_frac", F8, "1", "share with q_ppg of at least 0.6", source=SQI),
    column("ibi_cov", F8, "1", "mean q_ibi, missing counted 0"),
    column("temp_cov", F8, "1", "share with q_temp of at least 0.5"),
    column("acc_cov", F8, "1", "mean q_acc, missing counted 0"),
    column("longest_gap_min", F8, "min", "longest stretch in which no channel was recorded"),
    column("n_reboots", I8, "1", "restarts of the device at most 3 h apart within the night"),
    column("sat_frac", F8, "1", "mean share of saturated PPG samples"),
    column("clk_flags", I8, "1", "number of different clock codes (CLK_…)"),
    column(
        "cal_error_mg",
        F8,
        "mg",
        "mean |‖a‖ − 1 g| over still 10-s windows, after the calibration in force",
        minimum="10 still windows",
        source=CALIBRATION,
    ),
    column("night_score", F8, "1", "weighted quality of the night, 0 to 100; null without a sleep period"),
    column("score_basis", pa.list_(TEXT), "1", "terms in night_score; those of channels the model lacks drop out"),
    column(
        "band",
        TEXT,
        "1",
        "A, B, C or D: what the night may be used for; where no device has PPG, hours worn stand for valid_h",
        required=True,
    ),
    column("reasons", pa.list_(TEXT), "1", "reason codes, in the order of the documented list"),
]
_BREATH = [
    column(name, F8, unit, meaning, minimum=minimum, source=source, since=SINCE)
    for name, unit, meaning, minimum, source in (
        ("rr_median", "brpm", "median of rr_brpm, asleep and worn", "360 epochs", BRACELET),
        ("rr_quiet_median", "brpm", "median of rr_brpm in quiet sleep, as in quiet_frac", "90 epochs", BRACELET),
        ("rr_iqr", "brpm", "75th minus 25th percentile of rr_brpm, asleep and worn", "360 epochs", BRACELET),
        (
            "hrv_ratio_median",
            "1",
            "median of hrv_ratio, asleep and worn",
            "6 windows of 5 min (180 epochs)",
            TASK_FORCE,
        ),
        ("pulse_amp_median", "1", "median of pulse_amp where q_ppg is at least 0.6, asleep and worn", _TWO_HOURS, ""),
        (
            "perfusion_median",
            "%",
            "median of perfusion_index_pct where q_ppg is at least 0.6, asleep and worn",
            _TWO_HOURS,
            BRACELET,
        ),
    )
]
_FLOOR = column(
    "rmssd_floor_ms",
    F8,
    "ms",
    "what beats rounded to whole PPG samples would add to rmssd_ms in quadrature, interval / √2; ours lie between "
    "samples and add less",
    since=SINCE,
)
_COVERAGE_BREATH = [
    column(f"coverage_{name}", F8, "1", f"share of the sleep period (none: recorded time) with {what}", since=SINCE)
    for name, what in (
        ("rr", "rr_brpm while worn"),
        ("hrv_ratio", "hrv_ratio while worn"),
        ("perfusion", "perfusion_index_pct while worn and q_ppg of at least 0.6"),
    )
]
_DEVICE = [
    column("device", TEXT, "1", "vendor and model of what recorded most of the night; null if not told", since=SINCE),
    column("firmware", TEXT, "1", "that device's firmware, as it states it; null if not told", since=SINCE),
]
NIGHTS = Table(
    schema=pa.schema(
        [
            *_HEADER,
            *_HEART,
            *_TEMPERATURE,
            *_SLEEP,
            *_COVERAGE,
            *_QUALITY,
            *_BREATH,
            *_COVERAGE_BREATH,
            *_DEVICE,
            _FLOOR,
        ]
    ),
    key=("subject_id", "night_date", "source_id"),
    sort=("subject_id", "night_date", "source_id"),
)
