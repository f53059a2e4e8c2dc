"""What other data sets call our vitals, and the frame that every reader hands on.

Only names that can mean one thing are known. An arterial blood sample (SaO2) is not pulse oximetry, a cuff (NISysABP)
is not an arterial line, and a wristband's TEMP is skin: map those by hand if you mean them.
"""

from __future__ import annotations

import polars as pl

from engine.vitals.plausibility import LIMITS

NO_VITAL = "value"
"""Vital of a file that has none: its values have no limits, and no plausibility is judged."""

OURS = {
    "HR": "hr_bpm",
    "HeartRate": "hr_bpm",
    "heart_rate": "hr_bpm",
    "Resp": "rr_brpm",
    "RespRate": "rr_brpm",
    "resp_rate": "rr_brpm",
    "respiratory_rate": "rr_brpm",
    "O2Sat": "spo2_pct",
    "SpO2": "spo2_pct",
    "spo2": "spo2_pct",
    "SBP": "sbp_mmhg",
    "SysABP": "sbp_mmhg",
    "DBP": "dbp_mmhg",
    "DiasABP": "dbp_mmhg",
    "MAP": "map_mmhg",
    "Temp": "temp_c",
    "core_temp_c": "temp_c",
    "RMSSD": "rmssd_ms",
    "skin_temp": "skin_temp_c",
    "wrist_temp": "skin_temp_c",
    **{vital: vital for vital in LIMITS if vital != "core_temp_c"},
    NO_VITAL: NO_VITAL,
}

READINGS = pl.Schema(
    {
        "subject_id": pl.String,
        "vital": pl.String,
        "ts_us": pl.Int64,
        "value": pl.Float64,
        "weight": pl.Int64,
        "arrived": pl.Int64,
    }
)
"""Rows of a reader: all rows of a subject in one frame, subjects ascending from frame to frame. vital is one of ours;
ts_us UTC µs; value null or NaN where missing; weight and arrived as in `Readings`, arrived null where unknown."""
