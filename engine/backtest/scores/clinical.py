"""Would a forecast have led to the same decision? Severity and NEWS2 band of forecast against actual values.

NEWS2 has seven parameters, and forecasts have fewer: both sides are scored on the parameters that were observed at that
hour, nothing is assumed of the others, so levels here are the least possible ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.backtest.series.origins import OriginStatus
from engine.vitals.news2 import Observations, score
from engine.vitals.severity import SEVERE, severity

Ints = NDArray[np.int64]
Counts = NDArray[np.int64]
_NOTHING_TO_SAY = [str(status) for status in OriginStatus if status != OriginStatus.OK]
VITALS = ("rr_brpm", "spo2_pct", "sbp_mmhg", "hr_bpm", "temp_c")
"""Vitals of a backtest that are parameters of NEWS2; skin temperature is none."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of one configuration. severity: (3, 3), band: (4, 4) counts, actual × forecast; a forecast that is missing where
    an observation is counts in `unanswered`, (3,) by actual severity, and as missed. lead_h: (onsets,) for each hour at
    which severity rose to severe, how many hours ahead every forecast of it said so; 0 = not even the nearest."""

    severity: Counts
    band: Counts
    unanswered: Counts
    lead_h: Ints

    @property
    def n(self) -> int:
        return int(self.severity.sum() + self.unanswered.sum())

    @property
    def n_severe(self) -> int:
        return int(self.severity[SEVERE].sum() + self.unanswered[SEVERE])

    @property
    def missed_severe(self) -> float:
        """Share of severe hours that were not forecast as severe; NaN without any."""
        return 1 - int(self.severity[SEVERE, SEVERE]) / self.n_severe if self.n_severe else np.nan

    @property
    def false_severe(self) -> float:
        """Share of severe forecasts where the hour was not severe; NaN without any."""
        said = int(self.severity[:, SEVERE].sum())
        return 1 - int(self.severity[SEVERE, SEVERE]) / said if said else np.nan

    @property
    def kappa(self) -> float:
        return weighted_kappa(self.severity)


def weighted_kappa(counts: Counts) -> float:
    """Cohen's kappa with quadratic weights of a square table; NaN where either side has one level only.

    Cohen 1968, doi:10.1037/h0026256.

    >>> weighted_kappa(np.array([[10, 0], [0, 5]])), weighted_kappa(np.array([[1, 1], [1, 1]]))
    (1.0, 0.0)
    """
    total = counts.sum()
    if not total:
        return np.nan
    place = np.arange(len(counts))
    distance = (place[:, None] - place[None, :]) ** 2
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / total
    chance = float((distance * expected).sum())
    return 1 - float((distance * counts).sum()) / chance if chance > 0 else np.nan


def agreement(forecasts: pl.LazyFrame) -> Agreement:
    """Of the `FORECASTS` rows of one configuration (all its vitals; others than `VITALS` are left out).

    Left out are also origins at which nothing is to be published, whatever the configuration.
    """
    judged = ~pl.col("status").is_in(_NOTHING_TO_SAY)
    kept = forecasts.filter(pl.col("vital").is_in(VITALS) & pl.col("y").is_not_null() & judged)
    sides = {f"{v}:{side}": pl.col(side).filter(pl.col("vital") == v).first() for v in VITALS for side in ("y", "yhat")}
    wide = kept.group_by("subject_id", "ts", "step").agg(**sides).sort("subject_id", "ts", "step").collect()
    actual, said = _observed(wide, "y"), _observed(wide, "yhat")
    lost = np.zeros(len(wide), np.bool_)
    for vital in VITALS:
        lost |= np.isfinite(getattr(actual, vital)) & ~np.isfinite(getattr(said, vital))
    scored, forecast = score(actual), score(said)
    level, said_level = severity(actual, scored), severity(said, forecast)
    known = ~lost
    return Agreement(
        severity=_table(level[known], said_level[known], 3),
        band=_table(scored.band[known], forecast.band[known], 4),
        unanswered=np.bincount(level[lost], minlength=3),
        lead_h=_leads(wide, level, np.where(lost, -1, said_level)),
    )


def _observed(wide: pl.DataFrame, side: str) -> Observations:
    return Observations.of(**{v: wide[f"{v}:{side}"].cast(pl.Float64).fill_null(np.nan).to_numpy() for v in VITALS})


def _table(actual: Ints, said: Ints, levels: int) -> Counts:
    return np.bincount(actual * levels + said, minlength=levels * levels).reshape(levels, levels)


def _leads(wide: pl.DataFrame, level: Ints, said: Ints) -> Ints:
    """For each onset, the largest k such that steps 1 … k of that hour were all forecast as severe."""
    rows = wide.select("subject_id", "ts", "step").with_columns(level=pl.Series(level), said=pl.Series(said))
    unbroken = (pl.col("said") == SEVERE) & (pl.col("step") == pl.int_range(1, pl.len() + 1))
    hours = rows.group_by("subject_id", "ts", maintain_order=True).agg(
        pl.col("level").first(), lead=unbroken.cast(pl.Int64).cum_prod().sum()
    )
    before = pl.col("level").shift(1).over("subject_id")
    onsets = hours.filter((pl.col("level") == SEVERE) & before.is_not_null() & (before < SEVERE))
    return onsets["lead"].to_numpy().astype(np.int64)
