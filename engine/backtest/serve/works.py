"""Cutting the series of a backtest into units of work for serving."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import polars as pl

from engine.backtest.series.origins import origins
from engine.backtest.serve.mapped import Serve
from engine.backtest.serve.stored import SeriesKey
from engine.backtest.serve.work import Frozen, ServeWork
from engine.identity import canonical_json
from engine.storage import Store
from engine.tables.overlap import live_parts, overlapping

ROWS_A_WORK = 500_000
RANGES_A_BATCH = 2
"""Works of one task, whose rows are in memory together: about 300 bytes each while they are written."""
SERIES_S, ROW_S = 1e-3, 1.5e-6
"""Predicted cost of a series and of a row."""


def works(
    serve: Serve,
    index: pl.DataFrame,
    made_by: Mapping[SeriesKey, Sequence[str]],
    output: Store,
    fits_id: str,
    frozen: Store | None = None,
) -> Iterator[ServeWork]:
    """Units of work over all series of `index` (`series.store.INDEX`, its rows in the order of subject_id, vital).

    made_by: for each series the identities of the units of work that made its fits and attempts, with whatever else
    tells two outcomes of them apart; a series is served again when they or its data change. fits_id: the module_id of
    those rows in `output`; frozen: where the series lie, `output` if None. A unit has at most `ROWS_A_WORK` rows,
    unless a single series has more, and a key that says which series it has.
    """
    fits, attempts = (live_parts(output, name, fits_id) for name in ("fits", "attempts"))
    place = output if frozen is None else frozen
    for rows, n in _ranges(serve, index):
        keys = [(str(a), str(b)) for a, b in rows.select("subject_id", "vital").iter_rows()]
        facts = [[*key, data, sorted(made_by.get(key, ()))] for key, data in zip(keys, rows["data_hash"], strict=True)]
        first, last = keys[0][0], keys[-1][0]
        yield ServeWork(
            key=f"{keys[0][0]}/{keys[0][1]}…{keys[-1][0]}/{keys[-1][1]}",
            identity=hashlib.sha256(canonical_json([fits_id, facts]).encode()).hexdigest(),
            predicted_s=len(keys) * SERIES_S + n * ROW_S,
            subjects=(first, last),
            series=tuple(_frozen(rows)),
            fits=overlapping(output, fits, first, last),
            attempts=overlapping(output, attempts, first, last),
            series_uri=place.uri,
            options=place.options,
        )


def rows_of(serve: Serve, start: int, end: int) -> int:
    """Rows of `forecasts` that a series of hours start … end − 1 has."""
    return len(origins(start, end, serve.grid)) * len(serve.layout.configurations) * serve.horizon_h


def _ranges(serve: Serve, index: pl.DataFrame) -> Iterator[tuple[pl.DataFrame, int]]:
    n = [rows_of(serve, start, end) for start, end in index.select("start", "end").iter_rows()]
    first, held = 0, 0
    for at, mine in enumerate(n):
        if at > first and held + mine > ROWS_A_WORK:
            yield index[first:at], held
            first, held = at, 0
        held += mine
    if len(n) > first:
        yield index[first:], held


def _frozen(rows: pl.DataFrame) -> Iterator[Frozen]:
    """Runs of neighbouring rows of one part."""
    paths, places = rows["path"].to_list(), rows["row"].to_numpy()
    breaks = [i for i in range(1, len(paths)) if paths[i] != paths[i - 1] or places[i] != places[i - 1] + 1]
    for a, b in zip([0, *breaks], [*breaks, len(paths)], strict=True):
        yield Frozen(paths[a], int(places[a]), int(np.int64(places[b - 1])) + 1)
