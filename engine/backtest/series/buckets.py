"""Cuts a lazy frame of readings into frames of whole subjects, so that memory does not grow with the study."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory

import polars as pl

from engine.backtest.series.names import READINGS
from engine.backtest.series.times import unreadable
from engine.errors import UserError

BUCKET_ROWS = 200_000
MOST_BUCKETS = 64
"""Each holds a buffer while the rows are spread over them."""


def buckets(where: str, rows: pl.LazyFrame, bucket_rows: int = BUCKET_ROWS) -> Iterator[pl.DataFrame]:
    """Frames of `names.READINGS` with about `bucket_rows` rows each (more in a huge study), subjects ascending.

    rows: those columns, and `unread`: null, or what a time column held that could not be read. They are read twice, in
    any order: to count them, and into temporary files, a bucket each. Raises `UserError` without rows, or with one that
    has no subject or no readable time; `where` begins the sentence.
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
    n_rows = int(sizes["n"].sum())
    if n_rows <= bucket_rows:
        yield _readings(rows)
        return
    number = (sizes["n"].cum_sum() - sizes["n"]) // max(bucket_rows, -(-n_rows // MOST_BUCKETS))
    with TemporaryDirectory(prefix="nightmill-series-") as folder:
        numbered = rows.join(sizes.lazy().select("subject_id", bucket=number), on="subject_id")
        by_bucket = pl.PartitionBy(folder, key="bucket", include_key=False, approximate_bytes_per_file=None)
        numbered.sink_parquet(by_bucket, compression="lz4", maintain_order=False, mkdir=True, engine="streaming")
        for bucket in number.unique(maintain_order=True):
            part = Path(folder) / f"bucket={bucket}"
            yield _readings(pl.scan_parquet(part / "*.parquet"))
            rmtree(part)


def _readings(rows: pl.LazyFrame) -> pl.DataFrame:
    return rows.select(READINGS.names()).collect(engine="streaming").cast(READINGS)
