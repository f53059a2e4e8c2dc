"""Opens an output: which tables it has, each as a lazy frame, and whose results are the newest."""

from __future__ import annotations

import polars as pl

from engine import delta, ledger
from engine.commit import WORK_LEDGER
from engine.errors import UserError
from engine.identity import module_name
from engine.storage import Store


def tables(store: Store) -> list[str]:
    """Names of the output's tables, sorted; none where there is no output."""
    # From the dictionary, which every run writes last of all tables: listing could mean a million parts.
    if delta.open_table(store, "dictionary") is None:
        return []
    return sorted(scan(store, "dictionary").select("table").unique().collect()["table"])


def scan(store: Store, table: str, module_id: str | None = None) -> pl.LazyFrame:
    """One table, lazily, of every module version or of one. Raises `UserError` where there is no such table."""
    handle = delta.open_table(store, table)
    if handle is None:
        raise UserError(f"{store.uri}: no table {table}; there are {', '.join(tables(store)) or 'none'}")
    frame = pl.scan_delta(handle, storage_options=store.delta_options())
    return frame if module_id is None else frame.filter(pl.col("module_id") == module_id)


def current(store: Store) -> list[str]:
    """The module_ids whose rows are the output's present answer: `newest`, or of a backtest the newest of each step."""
    held = newest(store)
    if held is None or delta.open_table(store, WORK_LEDGER) is None:
        return [] if held is None else [held]
    runs = ledger.runs(store)
    finished = runs.filter(pl.col("state") == "finished")
    steps: dict[str, str] = {}
    for module_id in (runs if finished.is_empty() else finished)["module_id"]:
        steps[module_name(module_id)] = module_id
    return sorted(steps.values())


def newest(store: Store) -> str | None:
    """The module_id of the newest finished run, or of the newest run if none has finished; None without runs."""
    runs = ledger.runs(store)
    finished = runs.filter(pl.col("state") == "finished")
    chosen = runs if finished.is_empty() else finished
    return None if chosen.is_empty() else str(chosen["module_id"][-1])
