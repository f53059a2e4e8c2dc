"""The three tables that the reference module writes: every column with unit, meaning, least data and source."""

from __future__ import annotations

import pyarrow as pa

from engine.module import Table, column

TIME = pa.timestamp("us", tz="UTC")
F8 = pa.float64()
I8 = pa.int64()
TEXT = pa.string()

HDCZA = "10.1038/s41598-018-31266-z"
SIB = "10.1371/journal.pone.0142533"
ENMO = "10.1371/journal.pone.0061691"
CALIBRATION = "10.1152/japplphysiol.00421.2014"
TASK_FORCE = "10.1161/01.CIR.93.5.1043"
SHAFFER = "10.3389/fnins.2020.594880"
PULSE_CYCLE = "10.1038/s41598-017-01433-9"
WST = "10.1042/BSR20171279"
DETACH = "10.1186/s12874-022-01633-6"
SQI = "10.1109/JBHI.2014.2338351"
BRACELET = "10.2196/13404"
FUSION = "10.1109/TBME.2013.2246160"
SINCE = "0.2.0"

SUBJECT = column("subject_id", TEXT, "1", "person, as the Source names it", required=True)
SOURCE = column("source_id", TEXT, "1", "unit of work that the row came from; joins with every table", required=True)
NIGHT_DATE = column("night_date", pa.date32(), "1", "local date of the evening of the night", required=True)

EPOCHS = Table(
    schema=pa.schema(
        [
            SUBJECT,
            SOURCE,
            column("ts", TIME, "1", "start of the 10-s epoch, a multiple of 10 s in UTC", required=True),
            NIGHT_DATE,
            column("utc_offset_min", pa.int32(), "min", "local time minus UTC at ts, from the zone's rules"),
            column(
                "hr_bpm", F8, "bpm", "60000 / median of valid NN, centred 30 s", minimum="7 NN, half of 30 s covered"
            ),
            column(
                "rmssd_ms",
                F8,
                "ms",
                "root mean square of differences of successive valid NN, centred 60 s",
                minimum="30 pairs, 70 % of 60 s covered",
                source=SHAFFER,
            ),
            column(
                "sdnn_ms",
                F8,
                "ms",
                "standard deviation (n−1) of valid NN, centred 300 s",
                minimum="100 NN, 70 % of 300 s covered",
                source=TASK_FORCE,
            ),
            column("pulse_amp", F8, "1", "mean beat peak − trough of the band-passed PPG", minimum="5 beats"),
            column(
                "skin_temp_c",
                F8,
                "Cel",
                "mean skin temperature while worn, 20–42 °C, from 15 min after donning",
                minimum="half of the samples",
            ),
            column("enmo_mg", F8, "mg", "mean of max(‖a‖ − 1 g, 0)", minimum="90 % of samples", source=ENMO),
            column("mad_mg", F8, "mg", "mean |‖a‖ − mean ‖a‖|", minimum="90 % of samples"),
            column(
                "angle_z_deg",
                F8,
                "deg",
                "angle of the z axis above the horizontal, from 5-s medians of x, y, z",
                minimum="90 % of samples",
                source=SIB,
            ),
            column("sleep_state", TEXT, "1", "sleep or wake inside the sleep period; null outside it", source=SIB),
            column("wear", pa.int8(), "1", "1 worn, 0 not worn", source=DETACH),
            column("q_ppg", F8, "1", "PPG quality, 0 to 1; good from 0.6", source=SQI),
            column("q_ibi", F8, "1", "share of 60 s covered by valid NN"),
            column("q_temp", F8, "1", "1 where worn, in range and changing by at most 0.5 °C/min; else 0"),
            column("q_acc", F8, "1", "share of samples present and not clipped"),
            column("reasons", I8, "1", "bit i is set where the i-th reason code applies"),
            column(
                "rr_brpm",
                F8,
                "brpm",
                "breathing rate, centred 32 s: mean of the rates by peak height, pulse height and interval",
                minimum="2 of 3 rates (3: sd at most 4, 2: at most 3 apart), q_ppg of at least 0.6, under 0.45 hr_bpm",
                source=FUSION,
                since=SINCE,
            ),
            column("rr_n", pa.int8(), "1", "how many of the three rates are in rr_brpm", source=FUSION, since=SINCE),
            *(
                column(
                    name,
                    F8,
                    unit,
                    f"{meaning}, 300 s centred on the minute, held over its epochs",
                    minimum="80 % of 300 s covered, no hole over 5 s",
                    source=TASK_FORCE,
                    since=SINCE,
                )
                for name, unit, meaning in (
                    ("lf_ms2", "ms2", "power of NN from 0.04 to 0.15 Hz"),
                    ("hf_ms2", "ms2", "power of NN from 0.15 to 0.40 Hz"),
                    ("hrv_ratio", "1", "lf_ms2 / hf_ms2, of the pulse rate"),
                )
            ),
            column(
                "perfusion_index_pct",
                F8,
                "%",
                "100 pulse_amp / mean of the unfiltered PPG; null where the device removes the mean",
                minimum="5 beats",
                since=SINCE,
            ),
            column(
                "quiet_sleep",
                pa.int8(),
                "1",
                "1 in sleep of 15 min or longer without posture change, enmo_mg below 5, hr_bpm at most the night's "
                "median; else 0; null outside sleep_state; no stage of sleep",
                minimum="720 epochs asleep with hr_bpm and q_ppg of at least 0.6",
                since=SINCE,
            ),
        ]
    ),
    key=("source_id", "ts"),
    sort=("source_id", "ts"),
    partition="night_date",
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
    column("spt_method", TEXT, "1", "hdcza, hdcza_fixed, session or none", source=HDCZA),
    column("cal_id", TEXT, "1", "accelerometer calibration in force (+: two); identity for none", source=CALIBRATION),
]
_HEART = [
    column(
        "rhr_p10",
        F8,
        "bpm",
        "10th percentile of the 5-min running median of hr_bpm where q_ppg is at least 0.6",
        minimum=_TWO_HOURS,
        source=PULSE_CYCLE,
    ),
    column("hr_mean", F8, "bpm", "mean of hr_bpm where q_ppg is at least 0.6", minimum=_TWO_HOURS),
    column("hr_median", F8, "bpm", "median of hr_bpm where q_ppg is at least 0.6", minimum=_TWO_HOURS),
    column("hr_min5", F8, "bpm", "lowest 5-min mean of hr_bpm where q_ppg is at least 0.6", minimum=_TWO_HOURS),
    column("hr_nadir_rel", F8, "1", "time of hr_min5 as a fraction of the sleep period", minimum=_TWO_HOURS),
    column("rmssd_median", F8, "ms", "median of rmssd_ms", minimum="360 epochs", source=SHAFFER),
    column("ln_rmssd", F8, "1", "natural logarithm of rmssd_median", minimum="360 epochs", source=SHAFFER),
    column("sdnn_median", F8, "ms", "median of sdnn_ms", minimum="6 windows of 5 min (180 epochs)", source=TASK_FORCE),
]
_TEMPERATURE = [
    column(
        "wst_p99_stable",
        F8,
        "Cel",
        "99th percentile over epochs that change by at most 0.2 °C in 5 min, from 30 min after sleep onset",
        minimum=_TWO_HOURS,
        source=WST,
    ),
    column("wst_mean", F8, "Cel", "mean of skin_temp_c", minimum=_TWO_HOURS),
    column("wst_median", F8, "Cel", "median of skin_temp_c", minimum=_TWO_HOURS),
    column("wst_p05", F8, "Cel", "5th percentile of skin_temp_c", minimum=_TWO_HOURS),
    column(
        "wst_slope_onset",
        F8,
        "Cel/h",
        "slope of skin_temp_c in the first 2 h of the sleep period",
        minimum="540 epochs",
    ),
]
_SLEEP = [
    column("enmo_mean", F8, "mg", "mean of enmo_mg", minimum=_TWO_HOURS, source=ENMO),
    column("still_frac", F8, "1", "share of epochs with enmo_mg below 5 mg", minimum=_TWO_HOURS, source=ENMO),
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
    column("band", TEXT, "1", "A, B, C or D: what the night may be used for", required=True),
    column("reasons", pa.list_(TEXT), "1", "reason codes, in the order of the documented list"),
]
_BREATH = [
    column(name, F8, unit, meaning, minimum=minimum, source=source, since=SINCE)
    for name, unit, meaning, minimum, source in (
        ("rr_median", "brpm", "median of rr_brpm", "360 epochs", BRACELET),
        ("rr_quiet_median", "brpm", "median of rr_brpm in quiet sleep, as in quiet_frac", "90 epochs", BRACELET),
        ("rr_iqr", "brpm", "75th minus 25th percentile of rr_brpm", "360 epochs", BRACELET),
        ("hrv_ratio_median", "1", "median of hrv_ratio", "6 windows of 5 min (180 epochs)", TASK_FORCE),
        ("pulse_amp_median", "1", "median of pulse_amp where q_ppg is at least 0.6", _TWO_HOURS, ""),
        ("perfusion_median", "%", "median of perfusion_index_pct where q_ppg is at least 0.6", _TWO_HOURS, BRACELET),
    )
]
_COVERAGE_BREATH = [
    column(f"coverage_{name}", F8, "1", f"share of the sleep period (none: recorded time) with {what}", since=SINCE)
    for name, what in (
        ("rr", "rr_brpm while worn"),
        ("hrv_ratio", "hrv_ratio while worn"),
        ("perfusion", "perfusion_index_pct while worn and q_ppg of at least 0.6"),
    )
]
NIGHTS = Table(
    schema=pa.schema([*_HEADER, *_HEART, *_TEMPERATURE, *_SLEEP, *_COVERAGE, *_QUALITY, *_BREATH, *_COVERAGE_BREATH]),
    key=("subject_id", "night_date", "source_id"),
    sort=("subject_id", "night_date", "source_id"),
)

VITALS = Table(
    schema=pa.schema(
        [
            SUBJECT,
            SOURCE,
            column(
                "vital",
                TEXT,
                "1",
                "hr_bpm, rmssd_ms, skin_temp_c or rr_brpm; derived also sdnn_ms, spo2_pct or core_temp_c",
                required=True,
            ),
            column("ts", TIME, "1", "start of the UTC hour", required=True),
            column("unit", TEXT, "1", "UCUM unit of value, min, max and sd"),
            column("value", F8, "1", "median of the hour's plausible readings", minimum="6 epochs; derived: 1 reading"),
            column("n", I8, "1", "readings in the hour"),
            column("min", F8, "1", "lowest reading"),
            column("max", F8, "1", "highest reading"),
            column("sd", F8, "1", "standard deviation (n−1) of the readings"),
            column("mean_gap_s", F8, "s", "mean time between successive readings"),
            column("asleep_share", F8, "1", "share of readings asleep among those whose state is known; else null"),
            column("n_sources", I8, "1", "Sources merged into the row; 1 as the module writes it"),
            column("arrived_at", TIME, "1", "when the latest of these Sources was received; null if unknown"),
            column(
                "source_level",
                TEXT,
                "1",
                "raw: from epochs of a signal; derived: readings that the device computed itself, in unknown ways",
                since=SINCE,
            ),
        ]
    ),
    key=("subject_id", "vital", "ts", "source_id"),
    sort=("subject_id", "vital", "ts", "source_id"),
)

OUTPUTS: dict[str, Table] = {"epochs": EPOCHS, "nights": NIGHTS, "vitals": VITALS}
