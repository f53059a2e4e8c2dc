"""Fabricated outputs: a small module's tables, and receipts as tasks would hand them in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime

import polars as pl
import pyarrow as pa

from engine.commit import Committer, Journal, recover
from engine.identity import Identity
from engine.module import Table, column
from engine.running.receipt import Part, Receipt
from engine.schemas import FILES, RUN_TIME_COLUMNS
from engine.storage import Store
from engine.tables import delta
from engine.tables.digest import Digest, digest
from engine.tables.parts import write_part

MODULE = "toy-0123456789ab"
IDENTITY = Identity(MODULE, "0" * 64, "tests:Toy", "{}", {"tests.toy": "1" * 64})
EPOCHS = Table(
    pa.schema(
        [
            column("source_id", pa.string(), "1", "Source", required=True),
            column("ts", pa.timestamp("us", tz="UTC"), "1", "time", required=True),
            column("night_date", pa.date32(), "1", "night"),
            column("hr_bpm", pa.float64(), "bpm", "heart rate"),
        ]
    ),
    key=("source_id", "ts"),
    sort=("source_id", "ts"),
    partition="night_date",
)
NIGHTS = Table(
    pa.schema(
        [
            column("subject_id", pa.string(), "1", "subject"),
            column("night_date", pa.date32(), "1", "night"),
            column("source_id", pa.string(), "1", "Source"),
            column("night_score", pa.float64(), "1", "quality"),
            column("recorded_h", pa.float64(), "h", "length"),
            column("reasons", pa.list_(pa.string()), "1", "codes"),
        ]
    ),
    key=("subject_id", "night_date", "source_id"),
    sort=("subject_id", "night_date", "source_id"),
)
OUTPUTS: Mapping[str, Table] = {"epochs": EPOCHS, "nights": NIGHTS}


def receipt(
    store: Store, keys: Sequence[str], value: float = 50.0, status: str = "ok", module_id: str = MODULE
) -> Receipt:
    """What a task reports that did these works; `a-2` is a work in February."""
    parts: list[Part] = []
    for month in sorted({_month(key) for key in keys}) if status == "ok" else []:
        rows = [row for key in sorted(keys) if _month(key) == month for row in _epochs(key, value)]
        where = {"module_id": module_id, "month": f"2026-{month:02d}"}
        parts.append(write_part(store, "epochs", pa.Table.from_pylist(rows, EPOCHS.schema), EPOCHS.key, where))
    if status == "ok":
        nights = pa.Table.from_pylist([_night(key, value) for key in sorted(keys)], NIGHTS.schema)
        parts.append(write_part(store, "nights", nights, NIGHTS.key, {"module_id": module_id}))
    return Receipt(tuple(parts), _ledger(keys, status), 0.1)


def _month(key: str) -> int:
    return int(key.partition("-")[2] or 1)


def _epochs(key: str, value: float) -> list[dict[str, object]]:
    start = datetime(2026, _month(key), 1, tzinfo=UTC)
    return [
        {"source_id": key, "ts": start.replace(second=10 * i), "night_date": start.date(), "hr_bpm": value + i}
        for i in range(3)
    ]


def _night(key: str, value: float) -> dict[str, object]:
    night = date(2026, _month(key), 1)
    return {
        "subject_id": key[0], "night_date": night, "source_id": key, "night_score": value, "recorded_h": 8.0,
        "reasons": ["SHORT"] if value < 50 else None,
    }  # fmt: skip


def _ledger(keys: Sequence[str], status: str) -> bytes:
    known = pa.schema([field for field in FILES.schema if field.name not in ("run_id", "committed_at")])
    cause = {"failed": "module", "quarantined": "timeout"}.get(status)
    rows = [
        {
            "work_key": key,
            "file": f"{key}.zip",
            "subject_id": key[0],
            "source_id": key,
            "status": status,
            "cause": cause,
            "size_bytes": 100,
        }
        for key in keys
    ]
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, known) as stream:
        stream.write_table(pa.Table.from_pylist(rows, known))
    return bytes(sink.getvalue())


def committer(store: Store, run_id: str = "r1", module_id: str = MODULE) -> Committer:
    return Committer(Journal(store, run_id, "here", recover(store)), module_id, OUTPUTS)


def digests(store: Store, names: Sequence[str] = ("epochs", "nights", "files")) -> dict[str, Digest]:
    """What two equal outputs have in common (DESIGN section 1)."""
    return {name: digest(rows(store, name).drop(RUN_TIME_COLUMNS, strict=False)) for name in names}


def rows(store: Store, name: str) -> pl.DataFrame:
    handle = delta.open_table(store, name)
    return pl.DataFrame() if handle is None else pl.scan_delta(handle, storage_options=store.delta_options()).collect()
