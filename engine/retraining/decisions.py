"""Which values of a night are not believed, and why. These lines and what they import are what `filter_hash` covers."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.retraining.rows import DATE, SUBJECT, Floats, features_of, persons, values
from engine.vitals.plausibility import plausible
from kernels.hampel import recent

IMPLAUSIBLE, OUTLIER = "IMPLAUSIBLE", "OUTLIER"
"""No body has such a value (DOMAIN H3); too far from this person's last nights (Hampel)."""
MADS = 3.0 * 1.4826
"""Farther than three standard deviations of a normal distribution, in median absolute deviations."""
VITALS = {
    "hr_mean": "hr_bpm", "hr_median": "hr_bpm", "hr_min5": "hr_bpm", "rhr_p10": "hr_bpm",
    "rr_median": "rr_brpm", "rr_quiet_median": "rr_brpm",
    "rmssd_median": "rmssd_ms", "ln_rmssd": "rmssd_ms", "sdnn_median": "sdnn_ms",
    "wst_mean": "skin_temp_c", "wst_median": "skin_temp_c", "wst_p05": "skin_temp_c", "wst_p99_stable": "skin_temp_c",
}  # fmt: skip
"""The vital whose limits hold for a feature; any other feature is judged against the person's own nights only."""
SCHEMA = {SUBJECT: pl.String, DATE: pl.Date, "feature": pl.String, "value": pl.Float64, "reason": pl.String}


def decide(nights: pl.DataFrame, most: int, least: int) -> pl.DataFrame:
    """What is not believed: rows of `SCHEMA`, by person, date and feature. value: as it was, in the feature's unit.

    A plausible value is an outlier where |value − median| > 3·1.4826·MAD over the person's last `most` nights that have
    a plausible one, this night included, if those are `least`; where most of them are equal, any other value is one. An
    outlier stays in the later nights' median, so that a lasting change is believed in the end. Nothing later than the
    night is looked at.
    """
    of = persons(nights)
    ids = nights.select(SUBJECT, DATE)[of.order]
    found = [ids.clear().select(SUBJECT, DATE, *(pl.lit(None, SCHEMA[name]).alias(name) for name in list(SCHEMA)[2:]))]
    for name in features_of(nights):
        x = values(nights, name)[of.order]
        impossible = _impossible(name, x)
        median, mad = recent(np.where(impossible, np.nan, x), of.person, most, least)
        far = np.abs(x - median) > MADS * mad
        at = np.flatnonzero(impossible | far)
        reason = np.where(impossible[at], IMPLAUSIBLE, OUTLIER)
        told = (pl.Series("value", x[at]), pl.Series("reason", reason.tolist(), pl.String))
        found.append(ids[at].with_columns(pl.lit(name).alias("feature"), *told))
    return pl.concat(found).sort(SUBJECT, DATE, "feature")


def _impossible(name: str, x: Floats) -> NDArray[np.bool_]:
    """(n,) bool; a missing value is not judged."""
    if name not in VITALS:
        return np.zeros(x.size, np.bool_)
    with np.errstate(over="ignore"):
        vital = np.exp(x) if name.startswith("ln_") else x
    result: NDArray[np.bool_] = ~plausible(VITALS[name], vital) & ~np.isnan(x)
    return result
