"""A receipt: what a task did. Small, since only it passes through the scheduler; rows are already in storage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """One Parquet file that a task wrote whole.

    `path` is relative to the table's root: module_id=…/month=…/<sha256>.parquet. `statistics` is Delta's JSON
    (numRecords, minValues, maxValues, nullCount) over the key columns, from the Parquet footer.
    """

    table: str
    path: str
    size_bytes: int
    rows: int
    partition: Mapping[str, str]
    statistics: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """`ledger` is an Arrow IPC stream of rows of `FILES` without run_id and committed_at, which the committer knows."""

    parts: tuple[Part, ...]
    ledger: bytes
    seconds: float
