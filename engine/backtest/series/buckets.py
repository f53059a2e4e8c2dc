"""Cuts a lazy frame of readings into frames of whole subjects, so that memory does not grow with the study."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pyarrow as pa

from engine.backtest.series.names import READINGS
from engine.backtest.series.times import unreadable
from engine.errors import UserError

BUCKET_ROWS = 200_000
MOST_BUCKETS = 256
"""Each is an open file while the rows are spread over them."""
BATCH_ROWS = 200_000


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
    last = sizes.group_by(number.alias("number")).agg(pl.col("subject_id").last()).sort("subject_id")["subject_id"]
    with TemporaryDirectory(prefix="nightmill-series-") as folder:
        paths = [Path(folder) / f"{i}.arrows" for i in range(len(last))]
        _spread(rows.select(READINGS.names()), last, paths)
        for path in paths:
            yield pl.read_ipc_stream(path).cast(READINGS)
            path.unlink()


def _spread(rows: pl.LazyFrame, last: pl.Series, paths: Sequence[Path]) -> None:
    """Write the rows of subjects up to last[i], and after last[i − 1], to paths[i]."""
    # Not polars' partitioned sink: it held all rows (1.5 GB of 13 million) before it wrote any.
    with ExitStack() as stack:
        schema = READINGS.to_frame().to_arrow().schema
        writers = [stack.enter_context(pa.ipc.new_stream(str(path), schema)) for path in paths]
        for batch in rows.collect_batches(chunk_size=BATCH_ROWS, maintain_order=False, engine="streaming"):
            number = last.search_sorted(batch["subject_id"])
            for (i,), some in batch.cast(READINGS).group_by(number.alias("number")):
                writers[int(str(i))].write_table(some.to_arrow().cast(schema))


def _readings(rows: pl.LazyFrame) -> pl.DataFrame:
    return rows.select(READINGS.names()).collect(engine="streaming").cast(READINGS)
