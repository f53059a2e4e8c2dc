"""What is written down about a run itself: its row in `runs`, and the `dictionary` of all columns."""

from __future__ import annotations

import json
import os
import platform
import secrets
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

import polars as pl
import psutil
import pyarrow as pa

from engine import ledger
from engine.code.libraries import versions
from engine.commit import LEDGER, LEDGERS
from engine.errors import ModuleError, OutputBusy
from engine.identity import Identity
from engine.module import Table
from engine.schemas import DICTIONARY, FILES, RUNS
from engine.storage import Store
from engine.tables import delta
from engine.tables.intents import Change
from engine.tables.parts import write_part


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One row of `runs`; the JSON columns are text already."""

    run_id: str
    module_id: str
    started_at: datetime
    ended_at: datetime | None
    state: str
    config: str
    closure: str
    parameters: str
    versions: str
    machine: str
    counts: str

    def ended(self, state: str, counts: Mapping[str, int]) -> RunRecord:
        return replace(self, state=state, ended_at=datetime.now(UTC), counts=_json(dict(sorted(counts.items()))))


def begin(identity: Identity, config: str) -> RunRecord:
    """The record of a run that starts now, in this process."""
    now = datetime.now(UTC)
    closure, libraries = _json(dict(identity.closure)), _json(versions())
    return RunRecord(
        new_run_id(now), identity.module_id, now, None, "running", config, closure, identity.parameters, libraries,
        _json(machine()), "{}",
    )  # fmt: skip


def new_run_id(now: datetime) -> str:
    """Unique, and sorts by start.

    >>> new_run_id(datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC))[:20]
    '20260102T030405.678-'
    """
    return f"{now.strftime('%Y%m%dT%H%M%S')}.{now.microsecond // 1000:03d}-{secrets.token_hex(3)}"


def machine() -> dict[str, str | int | float]:
    """Where this process runs. `pid` and `pid_started` tell on the same host whether it still does."""
    return {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "pid_started": psutil.Process().create_time(),
        "cores": psutil.cpu_count() or 1,
        "memory_mb": psutil.virtual_memory().total // 1_000_000,
        "system": platform.system(),
        "cpu": platform.processor() or platform.machine(),
    }


def refuse_if_running(store: Store) -> None:
    """Raises `OutputBusy` where a run of this host that says `running` is still a process, and not this one.

    Of another host one cannot know: there the numbers of the commits decide.
    """
    for row in ledger.runs(store).filter(pl.col("state") == "running").iter_rows(named=True):
        about = json.loads(row["machine"])
        if about["host"] == socket.gethostname() and about["pid"] != os.getpid() and _is_alive(about):
            raise OutputBusy(
                f"{store.uri}: run {row['run_id']} on {about['host']} (process {about['pid']}) is at work on this "
                "output; wait for it, or stop it"
            )


def _is_alive(about: Mapping[str, float]) -> bool:
    try:
        process = psutil.Process(int(about["pid"]))
        return bool(abs(process.create_time() - about["pid_started"]) < 1 and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def runs_change(store: Store, record: RunRecord) -> Change:
    """`record` as the newest state of its run. Runs that still say `running` are dead, and become `interrupted`."""
    others = ledger.runs(store).filter(pl.col("run_id") != record.run_id)
    state = pl.when(pl.col("state") == "running").then(pl.lit("interrupted")).otherwise(pl.col("state"))
    rows = pa.Table.from_pylist([asdict(record)], RUNS.schema)
    return _rewritten(
        store, "runs", RUNS, pa.concat_tables([_arrow(others.with_columns(state.alias("state")), RUNS), rows])
    )


def all_tables(outputs: Mapping[str, Table], ledger: str = LEDGER) -> dict[str, Table]:
    """A module's tables and the engine's own. Raises `ModuleError` where a module takes one of the engine's names."""
    own = {ledger: FILES, "runs": RUNS, "dictionary": DICTIONARY}
    taken = sorted({*own, *LEDGERS} & outputs.keys())
    if taken:
        raise ModuleError(f"the module has a table called {taken[0]}; that name is the engine's, choose another")
    return {**outputs, **own}


def dictionary_change(store: Store, outputs: Mapping[str, Table], ledger: str = LEDGER) -> Change:
    """Unit and meaning of every column, from the schemas; columns that only older results have stay described."""
    told = all_tables(outputs, ledger)
    rows = [_described(name, field) for name, table in told.items() for field in delta.documented(table)]
    fresh = {(row["table"], row["column"]) for row in rows}
    handle = delta.open_table(store, "dictionary")
    if handle is not None:
        old = pl.scan_delta(handle, storage_options=store.delta_options()).collect()
        rows += [row for row in old.iter_rows(named=True) if (row["table"], row["column"]) not in fresh]
    rows.sort(key=lambda row: (row["table"], row["column"]))
    return _rewritten(store, "dictionary", DICTIONARY, pa.Table.from_pylist(rows, DICTIONARY.schema))


def _described(table: str, field: pa.Field) -> dict[str, str | None]:
    notes = {key.decode(): value.decode() or None for key, value in (field.metadata or {}).items()}
    names = ("unit", "meaning", "minimum_data", "source", "since")
    return {"table": table, "column": field.name, **{name: notes.get(name) for name in names}}


def _rewritten(store: Store, name: str, table: Table, rows: pa.Table) -> Change:
    """A small table as one part that holds all of it; no change where it holds just that already."""
    handle = delta.open_table(store, name)
    old = [] if handle is None else [found.part for found in delta.live(handle, name)]
    part = write_part(store, name, rows, table.key, {})
    return Change.exchange(name, delta.layout(table), [part], old)


def _arrow(frame: pl.DataFrame, table: Table) -> pa.Table:
    return frame.select(table.schema.names).to_arrow().cast(table.schema)


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True)
