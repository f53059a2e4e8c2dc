"""Cuts a lazy frame of readings into frames of whole subjects, so that memory does not grow with the study."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from engine.backtest.series.names import READINGS
from engine.backtest.series.times import unreadable
from engine.errors import UserError

BUCKET_ROWS = 2_000_000


def buckets(where: str, rows: pl.LazyFrame, bucket_rows: int = BUCKET_ROWS) -> Iterator[pl.DataFrame]:
    """Frames of `names.READINGS` with about `bucket_rows` rows each, subjects ascending.

    rows: those columns, and `unread`: null, or what a time column held that could not be read. One pass counts, one
    more per bucket reads; a Parquet file sorted by subject is read once in all. Raises `UserError` without rows, or
    with one that has no subject or no readable time; `where` begins the sentence.
    """
    sizes = (
        rows.group_by("subject_id")
        .agg(n=pl.len(), bad=pl.col("ts_us").is_null().any() | pl.col("unread").is_not_null().any())
        .sort("subject_id", nulls_last=False)
        .collect(engine="streaming")
    )
    if sizes.is_empty():
        raise UserError(f"{where}: no rows")
    if sizes["subject_id"].null_count():
        raise UserError(f"{where}: a row has no subject")
    if sizes["bad"].any():
        bad = rows.filter(pl.col("ts_us").is_null() | pl.col("unread").is_not_null()).select("unread").head(1)
        raise unreadable(where, bad.collect(engine="streaming")["unread"][0])
    number = (sizes["n"].cum_sum() - sizes["n"]) // bucket_rows
    parts = sizes.with_columns(number=number).group_by("number", maintain_order=True)
    bounds = parts.agg(low=pl.col("subject_id").first(), high=pl.col("subject_id").last())
    for low, high in bounds.select("low", "high").iter_rows():
        some = rows if len(bounds) == 1 else rows.filter(pl.col("subject_id").is_between(pl.lit(low), pl.lit(high)))
        yield some.select(READINGS.names()).collect(engine="streaming").cast(READINGS)
