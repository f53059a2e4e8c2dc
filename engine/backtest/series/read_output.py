"""Series from the `vitals` table of a reprocessing."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from engine import ledger
from engine.backtest.series.read_long import Columns, readings
from engine.errors import UserError
from engine.results.open import scan
from engine.storage import Store

TABLE = "vitals"


def read_output(store: Store, module_id: str | None = None, use_arrivals: bool = True) -> Iterator[pl.DataFrame]:
    """Frames of `names.READINGS` from an output's hours; those of several Sources are merged by a mean weighted by n,
    each counting from when its own Source arrived. module_id: None = of the newest finished run. Raises `UserError`
    where there is no such table or row."""
    where = f"{store.uri}/{TABLE}"
    rows = scan(store, TABLE)
    chosen = module_id or _newest(store, rows)
    if chosen is None:
        raise UserError(f"{where}: no run has written rows")
    columns = Columns(arrived="arrived_at" if use_arrivals else None)
    yield from readings(where, rows.filter(pl.col("module_id") == chosen), columns, weight="n")


def _newest(store: Store, rows: pl.LazyFrame) -> str | None:
    """The module_id of the newest finished run that wrote vitals, or of the newest one; a backtest may lie beside."""
    wrote = rows.select(pl.col("module_id").unique()).collect(engine="streaming")["module_id"]
    runs = ledger.runs(store).filter(pl.col("module_id").is_in(wrote.to_list()))
    finished = runs.filter(pl.col("state") == "finished")
    chosen = runs if finished.is_empty() else finished
    return None if chosen.is_empty() else str(chosen["module_id"][-1])
