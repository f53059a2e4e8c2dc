"""Fabricated nights of persons, and outputs that hold them as a reprocessing would."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from engine.commit import recover
from engine.events import ignore
from engine.identity import Identity
from engine.longitudinal.nights import READ
from engine.module import Table
from engine.running.progress import CommitSettings, Progress
from engine.running.receipt import Receipt
from engine.running.record import begin
from engine.schemas import FILES
from engine.storage import Store
from engine.tables import delta
from engine.tables.parts import write_part

FIRST = date(2026, 1, 1)
NIGHTS_ID = "night-0123456789ab"
IDENTITY = Identity(NIGHTS_ID, "0" * 64, "tests:Night", "{}", {})
NIGHTS = Table(
    pa.schema([field.with_metadata({"unit": "1", "meaning": "as it says"}) for field in READ.schema]),
    ("subject_id", "night_date", "source_id"),
    ("subject_id", "night_date", "source_id"),
)


def night(
    subject: str, day: int, band: str = "A", name: str = "a", score: float | None = 90.0, **values: Any
) -> dict[str, Any]:
    """One row of `nights`; what is not given is null."""
    at = FIRST + timedelta(day)
    return {
        "subject_id": subject, "night_date": at, "source_id": f"{subject}/{at}/{name}", "band": band,
        "night_score": score, "recorded_h": 8.0,
    } | values  # fmt: skip


def table(rows: Sequence[dict[str, Any]], declared: Table = NIGHTS) -> pa.Table:
    return pa.Table.from_pylist(list(rows), declared.schema)


def series(subject: str, values: Sequence[float | None], feature: str = "wst_p99_stable") -> list[dict[str, Any]]:
    """Nights of band A, one a day."""
    return [night(subject, day, **{feature: value}) for day, value in enumerate(values)]


def random_nights(seed: int, subjects: int = 4, most: int = 60) -> list[dict[str, Any]]:
    """Nights with holes, several Sources, all bands, and missing values."""
    rng = np.random.default_rng(seed)
    measured = [field.name for field in READ.schema if pa.types.is_floating(field.type)][2:]
    rows = []
    for person in range(subjects):
        for day in np.flatnonzero(rng.random(most) < 0.8):
            for name in "ab"[: rng.integers(1, 3)]:
                values = {key: None if rng.random() < 0.1 else round(rng.normal(60, 5), 1) for key in measured}
                band = str(rng.choice(list("AABBCD")))
                rows.append(night(f"P{person}", int(day), band, name, float(rng.integers(40, 100)), **values))
    return rows


def output(folder: Any, rows: Sequence[dict[str, Any]], module_id: str = NIGHTS_ID, declared: Table = NIGHTS) -> Store:
    """An output as a finished run over these nights leaves it. Calling it again adds or replaces nights."""
    return commit(Store(folder), rows, module_id, declared)


def commit(store: Store, rows: Sequence[dict[str, Any]], module_id: str = NIGHTS_ID, declared: Table = NIGHTS) -> Store:
    """See `output`."""
    identity = Identity(module_id, *(getattr(IDENTITY, name) for name in list(IDENTITY.__slots__)[1:]))
    progress = Progress(begin(identity, "{}"), store, recover(store), {"nights": declared}, CommitSettings(), ignore)
    progress.start((), None)
    held = table(rows, declared).sort_by([(name, "ascending") for name in NIGHTS.sort])
    part = write_part(store, "nights", held, NIGHTS.key, {"module_id": module_id})
    keys = [row["source_id"] for row in rows]
    progress.take(Receipt((part,), _ledger(rows), 0.1), lambda _: keys)
    progress.end("finished")
    return store


def _ledger(rows: Sequence[dict[str, Any]]) -> bytes:
    known = pa.schema([field for field in FILES.schema if field.name not in ("run_id", "committed_at")])
    told = [
        {
            "work_key": row["source_id"], "file": f"{row['source_id']}.zip", "subject_id": row["subject_id"],
            "source_id": row["source_id"], "status": "ok", "size_bytes": 1,
            "input_identity": hashlib.sha256(repr(sorted(row.items())).encode()).hexdigest(),
        }
        for row in rows
    ]  # fmt: skip
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, known) as stream:
        stream.write_table(pa.Table.from_pylist(told, known))
    return bytes(sink.getvalue())


def rows(store: Store, name: str) -> pl.DataFrame:
    handle = delta.open_table(store, name)
    assert handle is not None
    return pl.scan_delta(handle).collect()
