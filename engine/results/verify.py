"""Verification: some committed Sources again with the same code, and every value compared, bit for bit."""

from __future__ import annotations

import json
import random
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import polars as pl

from engine import ledger
from engine.commit import LEDGER
from engine.errors import InputMissing, UserError
from engine.identity import Identity
from engine.inputs.assemble import pack
from engine.inputs.listing import IGNORED
from engine.inventory import Inventory
from engine.results.open import scan, tables
from engine.storage import Store, StoreOptions, split_uri
from engine.tables import delta

REPEATABLE = ("ok", "partial", "rejected", "failed")
"""Statuses that depend on bytes and code only; a file is quarantined for time and memory too."""
LOOKS_AT_ONCE = 16
FATE = ("status", "cause", "reasons", "fingerprint", "bytes_sha256")
WHOLE_ROW = "(row)"
DIFFERENCES: dict[str, Any] = {
    "table": pl.String,
    "column": pl.String,
    "rows": pl.Int64,
    "sources": pl.Int64,
    "example": pl.String,
    "committed": pl.String,
    "recomputed": pl.String,
}


def refuse_other_code(run: dict[str, Any], identity: Identity) -> None:
    """Raises `UserError` naming both identities, and what differs, where `run` (a row of `runs`) was of other code."""
    if run["module_id"] == identity.module_id:
        return
    was, now = json.loads(run["closure"]), dict(identity.closure)
    files = sorted(name for name in was.keys() | now.keys() if was.get(name) != now.get(name))
    what = f"changed: {', '.join(files[:5])}" if files else "other parameters or another name"
    raise UserError(
        f"the output was computed by {run['module_id']}, the code here is {identity.module_id} ({what}); "
        "check out the code of that run, or reprocess"
    )


def draw(store: Store, module_id: str, share: float, seed: int) -> pl.DataFrame:
    """work_key and run_id of a random share of a module's committed works, at least one; the same for one seed."""
    done = ledger.scan(store, module_id).filter(pl.col("status").is_in(REPEATABLE))
    works = done.select("work_key", "run_id").unique("work_key", keep="any").sort("work_key").collect()
    count = min(works.height, max(1, round(share * works.height)))
    return works[sorted(random.Random(seed).sample(range(works.height), count))]


def inventory(store: Store, works: pl.DataFrame, options: StoreOptions) -> Inventory:
    """What the runs of these works froze about them, without the works of which an input is gone.

    Raises `UserError` where a run kept no inventory.
    """
    chunks = []
    for (run_id,), keys in works.group_by("run_id"):
        try:
            data = store.read(f"_runs/{run_id}/inventory.parquet")
        except InputMissing:
            raise UserError(f"{store.uri}: run {run_id} kept no inventory, so its inputs are not known") from None
        rows = Inventory.from_parquet(data).frame.filter(pl.col("source_id").is_in(keys["work_key"].implode()))
        with ThreadPoolExecutor(LOOKS_AT_ONCE) as pool:
            there = list(pool.map(lambda uri: _is_there(uri, options), rows["uri"]))
        marked = rows.with_columns(pl.Series("there", there, pl.Boolean))
        chunks.append(pack(marked.filter(pl.col("there").all().over("source_id")).drop("there")))
    return Inventory(tuple(chunks), pl.DataFrame(schema=IGNORED))


def _is_there(uri: str, options: StoreOptions) -> bool:
    parent, name = split_uri(uri)
    return Store(parent, options).entry(name) is not None


def changed_inputs(committed: Store, again: Store, module_id: str, keys: Collection[str]) -> set[str]:
    """Works of which an input has other bytes now: their results cannot be compared."""
    on = ["work_key", "file"]
    was, now = (_rows(store, LEDGER, module_id, "work_key", keys) for store in (committed, again))
    both = was.join(now.select(*on, now="bytes_sha256"), on=on, nulls_equal=True)
    return set(both.filter(pl.col("bytes_sha256") != pl.col("now"))["work_key"])


def differences(committed: Store, again: Store, module_id: str, keys: Collection[str]) -> pl.DataFrame:
    """What differs in the rows of these works, one row a table and column: see `DIFFERENCES`; none if all is equal."""
    found = []
    for name in sorted({*tables(again)} - {"runs", "dictionary"}):
        handle = delta.open_table(committed, name)
        if handle is None:
            continue
        layout = delta.layout_of(handle)
        was, now = (_rows(store, name, module_id, layout.owner, keys) for store in (committed, again))
        only = FATE if name == LEDGER else None
        found += list(_differing(name, was, now, list(layout.key), layout.owner, only))
    return pl.DataFrame(found, schema=DIFFERENCES, orient="row")


def _rows(store: Store, name: str, module_id: str, owner: str, keys: Collection[str]) -> pl.DataFrame:
    wanted = pl.Series(sorted(keys), dtype=pl.String).implode()
    return scan(store, name, module_id).filter(pl.col(owner).is_in(wanted)).collect()


def _differing(
    name: str, was: pl.DataFrame, now: pl.DataFrame, key: list[str], owner: str, only: Collection[str] | None
) -> Iterator[tuple[Any, ...]]:
    for side, (one, other) in enumerate(((was, now), (now, was))):
        lone = one.join(other, on=key, how="anti", nulls_equal=True)
        if lone.height:
            told = ("there", "missing") if side == 0 else ("missing", "there")
            yield (name, WHOLE_ROW, lone.height, lone[owner].n_unique(), lone[owner][0], *told)
    pairs = was.join(now, on=key, how="inner", suffix="\0now", nulls_equal=True).sort(key)
    for column in only or [column for column in was.columns if column not in key]:
        if f"{column}\0now" not in pairs.columns:
            yield (name, column, pairs.height, pairs[owner].n_unique(), None, "there", "no such column")
            continue
        apart = pairs.filter(_is_different(pairs[column], pairs[f"{column}\0now"]))
        if apart.height:
            example = (str(apart[column][0]), str(apart[f"{column}\0now"][0]))
            yield (name, column, apart.height, apart[owner].n_unique(), apart[owner][0], *example)


def _is_different(one: pl.Series, other: pl.Series) -> pl.Series:
    """(n,) bool; zeros of different sign differ."""
    apart = one.ne_missing(other)
    if not one.dtype.is_float() or one.dtype != other.dtype:
        return apart
    signs = [np.signbit(side.fill_null(0.0).to_numpy()) for side in (one, other)]
    return apart | pl.Series(signs[0] != signs[1])
