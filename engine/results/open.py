"""Opens an output: which tables it has, each as a lazy frame, and whose results are the newest."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from engine import ledger
from engine.commit import LEDGER, WORK_LEDGER
from engine.errors import UserError
from engine.identity import module_name
from engine.storage import Store
from engine.tables import delta

READS_FROM = pl.col("parameters").str.json_path_match("$.reads_from")
"""Of a row of `runs`: the module_id of the rows in the same output that the run read."""
READS_ROWS = READS_FROM.is_in(pl.col("module_id").implode()).fill_null(False)
"""Whether it did; else it read raw files, or series."""


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


def is_backtest(store: Store) -> bool:
    """Whether the output is a backtest's; one of a reprocessing may have the second ledger, too, see `current`."""
    return delta.open_table(store, WORK_LEDGER) is not None and delta.open_table(store, LEDGER) is None


def current(store: Store) -> list[str]:
    """The module_ids whose rows are the output's present answer: `newest`, or of a backtest the newest of each step;
    and the newest of each step that read the rows of these."""
    held = newest(store)
    if held is None:
        return []
    runs = ledger.runs(store)
    first = _newest_of_each(runs.filter(~READS_ROWS)) if is_backtest(store) else [held]
    return sorted({*first, *_newest_of_each(runs.filter(READS_ROWS & READS_FROM.is_in(first)))})


def newest(store: Store) -> str | None:
    """The module_id of the newest finished run over raw files, or of the newest run if none has finished; None without
    runs."""
    chosen = _finished(ledger.runs(store).filter(~READS_ROWS))
    return None if chosen.is_empty() else str(chosen["module_id"][-1])


def newest_with(store: Store, table: str, columns: Iterable[str]) -> str:
    """`newest`, of which the output has `table` with these columns. Raises `UserError` where it has not."""
    found = newest(store)
    if found is None or table not in tables(store):
        raise UserError(f"{store.uri}: no table {table}; `nightmill reprocess … -o {store.uri}` makes one")
    missing = sorted(set(columns) - set(scan(store, table).collect_schema().names()))
    if missing:
        raise UserError(
            f"{store.uri}: {table} has no column {', '.join(missing)}; reprocess with a module that gives it"
        )
    return found


def _newest_of_each(runs: pl.DataFrame) -> list[str]:
    return list({module_name(module_id): module_id for module_id in _finished(runs)["module_id"]}.values())


def _finished(runs: pl.DataFrame) -> pl.DataFrame:
    """Those that finished, or all if none has."""
    finished = runs.filter(pl.col("state") == "finished")
    return runs if finished.is_empty() else finished
