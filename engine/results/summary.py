"""What became of the files: counted by run, by status, and by kind of trouble."""

from __future__ import annotations

import json

import polars as pl

from engine import ledger
from engine.results.open import current
from engine.storage import Store

GRAVITY = ("quarantined", "failed", "rejected", "partial", "ok")
"""Statuses, the worst first."""


def status(store: Store, module_id: str | None = None) -> pl.DataFrame:
    """status, files, size_bytes, seconds of one module version (the newest run's by default), the worst first."""
    counted = (
        _mine(store, module_id)
        .group_by("status")
        .agg(pl.len().cast(pl.Int64).alias("files"), pl.col("size_bytes").sum(), pl.col("seconds").sum())
        .collect()
    )
    return counted.sort(_gravity())


def history(store: Store) -> pl.DataFrame:
    """run_id, module_id, state, started_at, ended_at, files (that it decided) and bad (failed or quarantined)."""
    runs = ledger.runs(store)
    counts = [json.loads(text or "{}") for text in runs["counts"]]
    return runs.select("run_id", "module_id", "state", "started_at", "ended_at").with_columns(
        pl.Series("files", [sum(one.values()) for one in counts], pl.Int64),
        pl.Series("bad", [one.get("failed", 0) + one.get("quarantined", 0) for one in counts], pl.Int64),
    )


def errors(store: Store, module_id: str | None = None) -> pl.DataFrame:
    """Files that are not ok by kind of trouble: status, cause, reasons, fingerprint, files, example, message.

    One row a kind, the worst and most frequent first. Messages carry a file's own numbers, so the kind is told by the
    fingerprint and the reasons; `example` is the first file by name and `message` is about it.
    """
    kind = ["status", "cause", "reasons", "fingerprint"]
    bad = _mine(store, module_id).filter(pl.col("status") != "ok").collect()
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
    return grouped.sort([_gravity(), pl.col("files")], descending=[False, True], maintain_order=True)


def _mine(store: Store, module_id: str | None) -> pl.LazyFrame:
    """The ledger's rows of one module version, or of those that are the output's present answer."""
    return ledger.scan(store).filter(pl.col("module_id").is_in([module_id] if module_id else current(store)))


def _gravity() -> pl.Expr:
    return pl.col("status").replace_strict({name: place for place, name in enumerate(GRAVITY)}, default=len(GRAVITY))
