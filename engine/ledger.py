"""The ledger as frames: what became of every input (`entries`), and which runs there were (`runs`).

Read by polars alone: pyarrow's reader threads abort some processes at exit.
"""

from __future__ import annotations

import polars as pl
import pyarrow as pa

from engine.commit import LEDGERS
from engine.module import Table
from engine.schemas import FILES, RUNS
from engine.storage import Store
from engine.tables import delta


def scan(store: Store, module_id: str | None = None, table: str | None = None) -> pl.LazyFrame:
    """`entries`, lazily: for plans over millions of files."""
    frame = _scan(store, (table,) if table else LEDGERS, FILES, ("module_id",))
    return frame if module_id is None else frame.filter(pl.col("module_id") == module_id)


def entries(store: Store, module_id: str | None = None, table: str | None = None) -> pl.DataFrame:
    """One row per (module_id, work_key, file): columns of `FILES` and module_id; no rows where nothing ever ran.

    `table`: `files` or `work`; if None whichever there is, or both.
    """
    return scan(store, module_id, table).collect()


def runs(store: Store) -> pl.DataFrame:
    """One row a run, oldest first, with the columns of `RUNS`; no rows where nothing ever ran."""
    return _scan(store, ("runs",), RUNS).collect().sort("run_id")


def is_settled(store: Store, module_id: str) -> bool:
    """Whether no run was left half way: none says `running`, and the last one of this module finished.

    A run that was killed after its last commit of rows has nothing to process left, yet is neither compacted nor ended.
    """
    told = runs(store)
    mine = told.filter(pl.col("module_id") == module_id)
    return "running" not in told["state"] and mine["state"].to_list()[-1:] == ["finished"]


def _scan(store: Store, names: tuple[str, ...], table: Table, partition_by: tuple[str, ...] = ()) -> pl.LazyFrame:
    handles = [found for name in names if (found := delta.open_table(store, name)) is not None]
    if not handles:
        fields = [*table.schema, *(pa.field(column, pa.string()) for column in partition_by)]
        empty = pl.from_arrow(pa.schema(fields).empty_table())
        assert isinstance(empty, pl.DataFrame)
        return empty.lazy()
    frames = [pl.scan_delta(handle, storage_options=store.delta_options()) for handle in handles]
    return frames[0] if len(frames) == 1 else pl.concat(frames, how="diagonal")
