"""What became of the files: counted by run, by status, and by kind of trouble."""

from __future__ import annotations

import json

import polars as pl

from engine import ledger
from engine.module import Status
from engine.results.open import current
from engine.schemas import BAD
from engine.storage import Store

WORST_FIRST = pl.Enum([str(status) for status in reversed(Status)])


def history(store: Store) -> pl.DataFrame:
    """run_id, module_id, state, started_at, ended_at, files (that it decided) and bad (failed or quarantined)."""
    runs = ledger.runs(store)
    counts = [json.loads(text or "{}") for text in runs["counts"]]
    return runs.select("run_id", "module_id", "state", "started_at", "ended_at").with_columns(
        pl.Series("files", [sum(one.values()) for one in counts], pl.Int64),
        pl.Series("bad", [sum(one.get(name, 0) for name in BAD) for one in counts], pl.Int64),
    )


def errors(store: Store) -> pl.DataFrame:
    """Files of the output's present answer that are not ok, by kind of trouble: status, cause, reasons, fingerprint,
    files, example, message.

    One row a kind, the worst and most frequent first. Messages carry a file's own numbers, so the kind is told by the
    fingerprint and the reasons; `example` is the first file by name and `message` is about it.
    """
    kind = ["status", "cause", "reasons", "fingerprint"]
    mine = ledger.scan(store).filter(pl.col("module_id").is_in(current(store)))
    bad = mine.filter(pl.col("status") != "ok").collect()
    grouped = (
        bad.with_columns(pl.col("reasons").list.join(" "))
        .sort("work_key", "file")
        .group_by(kind, maintain_order=True)
        .agg(
            pl.len().cast(pl.Int64).alias("files"),
            pl.coalesce("file", "work_key").first().alias("example"),
            pl.col("message").first(),
        )
    )
    return grouped.sort(
        [pl.col("status").cast(WORST_FIRST), pl.col("files")], descending=[False, True], maintain_order=True
    )
