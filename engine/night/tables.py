"""The tables that the reference module writes: every column with unit, meaning, least data and source."""

from __future__ import annotations

import pyarrow as pa

from engine.module import Table, column
from engine.night.fields import (
    CALIBRATION,
    DETACH,
    ENMO,
    F8,
    FUSION,
    I8,
    NIGHT_DATE,
    SHAFFER,
    SIB,
    SINCE,
    SOURCE,
    SQI,
    SUBJECT,
    TASK_FORCE,
    TEXT,
    TIME,
)
from engine.night.nights_table import NIGHTS

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
                "root mean square of differences of successive valid NN in epochs of surely good pulse, centred 60 s",
                minimum="30 pairs, 70 % of 60 s covered",
                source=SHAFFER,
            ),
            column(
                "sdnn_ms",
                F8,
                "ms",
                "standard deviation (n−1) of valid NN in epochs of surely good pulse, centred 300 s",
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
            column(
                "wear",
                pa.int8(),
                "1",
                "0 not worn: still for an hour, or quiet and without pulse, and off by the temperature or for "
                "want of a pulse; or cool, in a bag. 1 worn; null where nothing tells",
                source=DETACH,
            ),
            column(
                "q_ppg",
                F8,
                "1",
                "PPG quality, 0 to 1; good from 0.6: likeness of the beats, agreement of two detectors, skewness; "
                "halved by movement, times how steady the rate is; 0 where no pulse is possible",
                source=SQI,
            ),
            column("q_ibi", F8, "1", "share of 60 s covered by the NN that rmssd_ms uses"),
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

_DEVICE = "vendor, model and serial number; without one, whose it is"
_MEAN = "mean of {} as the device measured it; at most 2 windows of each of 96 directions a night and device"
STILL_WINDOWS = Table(
    schema=pa.schema(
        [
            *(one.with_metadata({**one.metadata, b"since": SINCE.encode()}) for one in (SUBJECT, SOURCE, NIGHT_DATE)),
            column("ts", TIME, "1", "start of the 10-s epoch", required=True, since=SINCE),
            column("device", TEXT, "1", _DEVICE, required=True, since=SINCE),
            *(
                column(
                    f"{axis}_g",
                    F8,
                    "g",
                    _MEAN.format(axis),
                    minimum="90 % of samples, sd of each axis below 13 mg",
                    source=CALIBRATION,
                    since=SINCE,
                )
                for axis in "xyz"
            ),
        ]
    ),
    key=("source_id", "ts"),
    sort=("device", "ts", "source_id"),
    partition="night_date",
)

OUTPUTS: dict[str, Table] = {"epochs": EPOCHS, "nights": NIGHTS, "vitals": VITALS, "still_windows": STILL_WINDOWS}
