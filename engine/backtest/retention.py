"""Retention by age: parameters of old fits leave the table `fits`; everything else of those fits stays.

Age counts from the newest cutoff of the output, not from today: the same call does the same whenever it is made. All
parts change in one commit like any other: a call that was killed is completed by the next, or never happened.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from engine.backtest.tables import FITS
from engine.commit import Journal, recover
from engine.errors import UserError
from engine.results.open import scan
from engine.running.receipt import Part
from engine.running.record import refuse_if_running
from engine.storage import Store
from engine.tables import delta
from engine.tables.intents import Change
from engine.tables.parts import decode, write_part

TABLE = "fits"


@dataclass(frozen=True, slots=True)
class Dropped:
    """Fits that lose their parameters: those with a cutoff before `before`. size_bytes: of their JSON, uncompressed."""

    before: datetime
    fits: int
    size_bytes: int


def find(store: Store, days: float) -> Dropped:
    """What `drop` would drop. Raises `UserError` where the output has no fits."""
    if delta.open_table(store, TABLE) is None:
        raise UserError(f"{store.uri}: no table {TABLE}: only a backtest stores parameters")
    rows = scan(store, TABLE)
    newest = rows.select(pl.col("cutoff").max()).collect().item()
    before = (newest or datetime.fromtimestamp(0, UTC)) - timedelta(days=days)
    old = rows.filter((pl.col("cutoff") < before) & pl.col("params_json").is_not_null())
    found = old.select(fits=pl.len(), size_bytes=pl.col("params_json").str.len_bytes().sum()).collect()
    return Dropped(before, int(found["fits"][0]), int(found["size_bytes"][0]))


def drop(store: Store, days: float) -> Dropped:
    """Null the parameters of fits whose cutoff is more than so many days before the newest one.

    The old parts stay in storage as earlier versions of the table, until `engine.gc` collects them. Raises `UserError`
    where the output has no fits, `OutputBusy` where a run is at work.
    """
    refuse_if_running(store)
    number = recover(store)
    found = find(store, days)
    if found.fits:
        run_id = f"params-{datetime.now(UTC):%Y%m%dT%H%M%S}"
        Journal(store, run_id, socket.gethostname(), number).post("params", [_change(store, found.before)])
    return found


def _change(store: Store, before: datetime) -> Change:
    pairs = list(_rewritten(store, before))
    return Change.exchange(TABLE, delta.layout(FITS), [new for _, new in pairs], [old for old, _ in pairs])


def _rewritten(store: Store, before: datetime) -> Iterator[tuple[Part, Part]]:
    """Each part with old parameters, and the part that takes its place. One is in memory at a time."""
    handle = delta.open_table(store, TABLE)
    for found in [] if handle is None else delta.live(handle, TABLE):
        data = store.read(f"{TABLE}/{found.part.path}")
        if pc.any(_old(decode(data, ["cutoff", "params_json"]), before)).as_py():
            rows = _without(decode(data), before)
            yield found.part, write_part(store, TABLE, rows, FITS.key, found.part.partition)


def _old(rows: pa.Table, before: datetime) -> pa.ChunkedArray:
    """(n,) bool: which fits are old and have parameters."""
    return pc.and_(pc.less(rows["cutoff"], pa.scalar(before, rows["cutoff"].type)), pc.is_valid(rows["params_json"]))


def _without(rows: pa.Table, before: datetime) -> pa.Table:
    old = _old(rows, before)
    marks = rows["params_dropped"] if "params_dropped" in rows.column_names else pa.nulls(rows.num_rows, pa.bool_())
    columns = {name: rows[name] for name in rows.column_names} | {
        "params_json": pc.if_else(old, pa.scalar(None, pa.string()), rows["params_json"]),
        "params_dropped": pc.if_else(old, True, marks),
    }
    return pa.table([columns[name] for name in FITS.schema.names], schema=FITS.schema)
