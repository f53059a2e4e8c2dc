"""What is kept of a night: a hash of each table and of each of its columns, and the nightly features themselves."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from engine.module import Outcome
from tests.golden.nights import Files

PLACE = Path(__file__).with_name("frozen.json")
DIGITS = 9
"""Significant: bit equality is asked within one kind of CPU and one lock (DOMAIN H7.12)."""
SHORT = 12
"""Hex digits kept of a column's SHA-256; a table's is kept whole."""
Kept = dict[str, Any]


def cpu() -> str:
    """Which kind of CPU this is, by what NumPy finds in it."""
    found = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])  # type: ignore[call-overload]
    return hashlib.sha256(f"{platform.machine()} {found}".encode()).hexdigest()[:SHORT]


def load() -> dict[str, Kept]:
    kept: dict[str, Kept] = json.loads(PLACE.read_text()) if PLACE.exists() else {}
    return kept


def keep(nights: Mapping[str, Kept]) -> None:
    """A line for each table of a night, so that a change shows where it is."""
    lines = []
    for name, night in sorted(nights.items()):
        rest = json.dumps({key: value for key, value in night.items() if key != "tables"}, ensure_ascii=False)
        tables = ",\n  ".join(f"{json.dumps(table)}: {json.dumps(kept)}" for table, kept in night["tables"].items())
        lines.append(f'{json.dumps(name)}: {rest[:-1]}, "tables": {{\n  {tables}}}}}')
    PLACE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def of(files: Files, outcome: Outcome) -> Kept:
    """cpu: what it was made on. input: of names and bytes. verdicts; tables: SHA-256 of each and of its columns."""
    digest = hashlib.sha256()
    for name, content in files.items():
        digest.update(name.encode() + hashlib.sha256(content).digest())
    return {
        "cpu": cpu(),
        "input": digest.hexdigest()[:16],
        "verdicts": [[v.file, str(v.status), *v.reasons] for v in outcome.verdicts],
        "tables": {name: _table(table) for name, table in sorted(outcome.tables.items())},
    }


def features(outcome: Outcome) -> list[Kept]:
    """Rows of `nights`, numbers only and the band: what the report of a change is made of."""
    if "nights" not in outcome.tables:
        return []
    frame = pl.DataFrame(outcome.tables["nights"])
    told = frame.select("band", pl.selectors.numeric().cast(pl.Float64).round_sig_figs(DIGITS))
    return told.to_dicts()


def table_hash(columns: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(sorted(columns.items())).encode()).hexdigest()


def _table(table: pa.Table) -> Kept:
    columns = {name: _column(table[name]) for name in table.column_names} if table.num_rows else {}
    return {"rows": table.num_rows, "sha256": table_hash(columns), "columns": columns}


def _column(values: pa.ChunkedArray) -> str:
    """Of type and values in text, numbers to DIGITS; null is empty, −0 is 0."""
    if pa.types.is_timestamp(values.type):
        values = values.cast(pa.int64())
    texts = (
        "" if value is None else f"{value + 0.0:.{DIGITS}g}" if isinstance(value, float) else str(value)
        for value in values.to_pylist()
    )
    return hashlib.sha256("\n".join((str(values.type), *texts)).encode()).hexdigest()[:SHORT]
