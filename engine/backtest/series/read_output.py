"""Series from the `vitals` table of a reprocessing."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from engine.backtest.series.read_long import Columns, readings
from engine.errors import UserError
from engine.results.open import newest, scan
from engine.storage import Store

TABLE = "vitals"


def read_output(store: Store, module_id: str | None = None, use_arrivals: bool = True) -> Iterator[pl.DataFrame]:
    """Frames of `names.READINGS` from an output's hours; those of several Sources are merged by a mean weighted by n,
    each counting from when its own Source arrived. module_id: None = of the newest finished run. Raises `UserError`
    where there is no such table or row."""
    chosen = module_id or newest(store)
    if chosen is None:
        raise UserError(f"{store.uri}: no run has written here")
    where = f"{store.uri}/{TABLE}"
    columns = Columns(arrived="arrived_at" if use_arrivals else None)
    yield from readings(where, scan(store, TABLE, chosen), columns, weight="n")
