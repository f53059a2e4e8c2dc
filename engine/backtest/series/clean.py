"""Readings to series: units, duplicates, plausibility and the hourly grid, every correction counted (DOMAIN H3)."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.backtest.contract import Ints
from engine.backtest.series.hourly import HOUR_US, to_hours
from engine.backtest.series.series import NEVER, Corrections, Readings, Series
from engine.errors import UserError
from engine.vitals.plausibility import LEAST_PULSE_PRESSURE_MMHG, LIMITS, to_celsius

LONGEST_H = 100 * 366 * 24


class Fate(IntEnum):
    KEPT = 0
    MISSING = 1
    DUPLICATE = 2
    IMPLAUSIBLE = 3
    PRESSURE = 4


def series_of(readings: pl.DataFrame) -> Iterator[Series]:
    """Series of one reader's frame (schema `names.READINGS`), ordered by subject and vital. A series whose every value
    is implausible is one nevertheless. Raises `UserError` where a series spans more than a century."""
    rows = _judged(readings)
    if rows.is_empty():
        return
    number = rows.select(pl.struct("subject_id", "vital").rle_id()).to_series().to_numpy()
    starts = np.flatnonzero(np.diff(number, prepend=-1)).tolist()
    subjects, vitals = rows["subject_id"].gather(starts).to_list(), rows["vital"].gather(starts).to_list()
    columns = {
        name: rows[name].to_numpy() for name in ("ts_us", "value", "weight", "known", "until", "fate", "converted")
    }
    for subject_id, vital, a, b in zip(subjects, vitals, starts, [*starts[1:], len(rows)], strict=True):
        yield _series(subject_id, vital, {name: column[a:b] for name, column in columns.items()})


def _judged(readings: pl.DataFrame) -> pl.DataFrame:
    """The rows in order, with columns known (first origin that may use the row), until, fate and converted."""
    limits = pl.DataFrame(
        [(vital, one.low, one.high) for vital, one in LIMITS.items()], schema=["vital", "low", "high"], orient="row"
    )
    celsius, converted = to_celsius(readings["value"].fill_null(np.nan).to_numpy())
    is_temperature = pl.col("vital").str.ends_with("temp_c")
    by = ["subject_id", "vital", "ts_us", "value"]
    rows = (
        readings.with_columns(
            value=pl.when(is_temperature).then(pl.Series(celsius)).otherwise(pl.col("value")),
            converted=is_temperature & pl.Series(converted),
            known=pl.max_horizontal(pl.col("ts_us").floordiv(HOUR_US) + 1, "arrived"),
        )
        .join(limits, on="vital", how="left", maintain_order="left")
        .sort([*by, "known", "weight"])
    )
    same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(name).shift()) for name in by) & (pl.col("weight") == 0)
    bad = ~pl.col("value").is_finite().fill_null(False) | ((pl.col("value") == 0.0) & pl.col("low").is_not_null())
    fate = (
        pl.when(bad)
        .then(pl.lit(Fate.MISSING.value))
        .when(same.fill_null(False))
        .then(pl.lit(Fate.DUPLICATE.value))
        .when((pl.col("value") < pl.col("low")) | (pl.col("value") > pl.col("high")))
        .then(pl.lit(Fate.IMPLAUSIBLE.value))
        .otherwise(pl.lit(Fate.KEPT.value))
    )
    return _paired(rows.with_columns(fate=fate))


def _paired(rows: pl.DataFrame) -> pl.DataFrame:
    """Voids systolic and diastolic of one instant that are too close, from when both have arrived."""
    rows = rows.with_columns(until=pl.lit(NEVER, pl.Int64)).with_row_index("row")
    kept = (
        rows.lazy()
        .filter(pl.col("fate") == Fate.KEPT.value)
        .select("row", "subject_id", "vital", "ts_us", "value", "known")
    )
    both = (
        kept.filter(pl.col("vital") == "sbp_mmhg")
        .join(kept.filter(pl.col("vital") == "dbp_mmhg"), on=["subject_id", "ts_us"], suffix="_low")
        .filter(pl.col("value") - pl.col("value_low") < LEAST_PULSE_PRESSURE_MMHG)
        .select("row", "row_low", void=pl.max_horizontal("known", "known_low"))
        .collect()
    )
    if not both.is_empty():
        void = pl.concat([both.select("row", "void"), both.select(row="row_low", void="void")])
        void = void.group_by("row").agg(pl.col("void").min())
        rows = rows.join(void, on="row", how="left", maintain_order="left").with_columns(
            until=pl.coalesce("void", "until"),
            fate=pl.when(pl.col("void").is_null()).then("fate").otherwise(pl.lit(Fate.PRESSURE.value)),
        )
    return rows


def _series(subject_id: str, vital: str, rows: dict[str, NDArray[np.generic]]) -> Series:
    ts_us: Ints = rows["ts_us"].astype(np.int64)
    fate, until, known = rows["fate"], rows["until"].astype(np.int64), rows["known"].astype(np.int64)
    value, weight = rows["value"].astype(np.float64), rows["weight"].astype(np.int64)
    start, end = int(ts_us[0] // HOUR_US), int(ts_us[-1] // HOUR_US) + 1
    if end - start > LONGEST_H:
        years = (end - start) / 8766
        raise UserError(f"{subject_id}, {vital}: spans {years:.0f} years; are the times in the unit that was named?")
    keep = fate == Fate.KEPT
    hours = to_hours(vital, ts_us[keep], value[keep], weight[keep])
    values = np.full(end - start, np.nan)
    values[hours.start - start : hours.start - start + len(hours.values)] = hours.values
    n = np.bincount(fate.astype(np.int64), minlength=len(Fate)).tolist()
    corrections = Corrections(
        readings=len(ts_us),
        missing=n[Fate.MISSING],
        duplicates=n[Fate.DUPLICATE],
        converted=int((rows["converted"].astype(np.bool_) & keep).sum()),
        implausible=n[Fate.IMPLAUSIBLE],
        pressure=n[Fate.PRESSURE],
        rate=hours.rate,
        stuck=hours.stuck,
        hours=int(np.isfinite(values).sum()),
    )
    usable = keep | ((fate == Fate.PRESSURE) & (until > known))
    late = bool((known[usable] > ts_us[usable] // HOUR_US + 1).any() or (until[usable] < NEVER).any())
    readings = Readings(ts_us[usable], value[usable], weight[usable], known[usable], until[usable]) if late else None
    return Series(subject_id, vital, start, values, readings, corrections)
