"""What `nightmill baselines` takes: every night of many persons against their own earlier nights, in one process.

    python benchmarks/baselines_scale.py [--persons 5480] [--json FILE]

The nights are generated, a year a person, all columns of the reference module's `nights`, a tenth of the values
missing. Peak memory is that of the whole process, the libraries included.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import polars as pl
import pyarrow as pa

from engine.commit import Journal, recover
from engine.identity import Identity
from engine.module import Table
from engine.night.nights_table import NIGHTS
from engine.running.record import begin, dictionary_change, runs_change
from engine.schemas import FILES
from engine.storage import Store
from engine.tables import delta
from engine.tables.intents import Change
from engine.tables.parts import write_part

ROOT = Path(__file__).resolve().parents[1]
DAYS = 365
PERSONS_A_PART = 800
NIGHT = Identity("night-0123456789ab", "0" * 64, "a.b:Night", "{}", {})


def nights(persons: Iterable[int], days: range) -> pa.Table:
    """Some days of some persons, random where it is a number."""
    names = pl.LazyFrame({"number": list(persons)}).select(
        subject_id=pl.format("S{}", pl.col("number").cast(pl.String).str.zfill(6))
    )
    dates = pl.LazyFrame({"day": list(days)}).select(night_date=date(2025, 1, 1) + pl.duration(days="day"))
    source = pl.format("{}/{}", "subject_id", "night_date").alias("source_id")
    known = names.join(dates, how="cross").with_columns(source, band=pl.lit("A")).collect()
    rng, n, columns = np.random.default_rng(known.height), known.height, []
    for field in NIGHTS.schema:
        if field.name in known.columns:
            columns.append(known[field.name].to_arrow().cast(field.type))
        elif pa.types.is_floating(field.type):
            columns.append(pa.array(rng.normal(50, 5, n), mask=rng.random(n) < 0.1))
        else:
            columns.append(pa.nulls(n, field.type))
    return pa.Table.from_arrays(columns, names=NIGHTS.schema.names)


def ledger(rows: pa.Table) -> pa.Table:
    source, n = rows["source_id"], rows.num_rows
    identity = pa.array([hashlib.sha256(name.encode()).hexdigest() for name in source.to_pylist()])
    ok = pa.array(["ok"]).take(pa.nulls(n, pa.int64()).fill_null(0))
    known = dict.fromkeys(("work_key", "file", "source_id"), source)
    known |= {"subject_id": rows["subject_id"], "status": ok, "input_identity": identity}
    columns = [known.get(field.name, pa.nulls(n, field.type)) for field in FILES.schema]
    return pa.Table.from_arrays(columns, names=FILES.schema.names)


def commit(store: Store, rows: pa.Table) -> None:
    """One part of nights and one of their ledger, as a finished run leaves them."""
    record = begin(NIGHT, "{}").ended("finished", {"ok": rows.num_rows})
    changes = [_added(store, "nights", NIGHTS, rows), _added(store, "files", FILES, ledger(rows))]
    changes += [runs_change(store, record), dictionary_change(store, {"nights": NIGHTS})]
    Journal(store, record.run_id, "here", recover(store)).post("rows", changes)


def _added(store: Store, name: str, table: Table, rows: pa.Table) -> Change:
    part = write_part(store, name, rows, table.key, {"module_id": NIGHT.module_id})
    return Change.exchange(name, delta.layout(table), [part], [])


def measured(case: str, store: Store) -> dict[str, object]:
    """The command in a process of its own."""
    command = [sys.executable, "-m", "jobs.cli", "baselines", store.uri, "--in-process", "--json", "--progress", "json"]
    started = time.monotonic()
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.read())
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    run = told["run"] or {"rows": {}, "statuses": {}}
    return {
        "case": case,
        "ranges": sum(run["statuses"].values()),
        "rows": sum(run["rows"].values()),
        "seconds": round(time.monotonic() - started, 1),
        "cpu_s": round(used.ru_utime + used.ru_stime, 1),
        "peak_mb": round(used.ru_maxrss / 1000),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persons", type=int, default=5480)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="nightmill-baselines-") as folder:
        store = Store(folder)
        for first in range(0, asked.persons, PERSONS_A_PART):
            commit(store, nights(range(first, min(first + PERSONS_A_PART, asked.persons)), range(DAYS)))
        rows = [measured("first run", store), measured("the same again", store)]
        commit(store, nights([asked.persons // 2], range(DAYS, DAYS + 1)))
        rows.append(measured("one more night of one person", store))
    print(pl.DataFrame(rows))
    if asked.json is not None:
        asked.json.write_text(json.dumps(rows))


if __name__ == "__main__":
    main()
