"""Two module versions side by side: how far each feature moved, in how many rows, which bands and statuses moved."""

from __future__ import annotations

from typing import Any

import polars as pl

from engine import ledger
from engine.commit import LEDGERS
from engine.errors import UserError
from engine.results.open import scan, tables
from engine.storage import Store
from engine.tables import delta

OWN = (*LEDGERS, "runs", "dictionary")
FEATURES: dict[str, Any] = {
    "feature": pl.String,
    "rows": pl.Int64,
    "changed": pl.Float64,
    "median": pl.Float64,
    "p95": pl.Float64,
    "gained": pl.Int64,
    "lost": pl.Int64,
}


def version(store: Store, text: str) -> str:
    """The module_id that `text` is, or is an unambiguous part of. Raises `UserError` naming the versions there are."""
    known = sorted(ledger.runs(store)["module_id"].unique())
    found = [module_id for module_id in known if text == module_id] or [one for one in known if text in one]
    if len(found) != 1:
        problem = "is no module version" if not found else "could be several module versions"
        raise UserError(f"{text!r} {problem} of this output; there are {', '.join(known)}")
    return str(found[0])


def comparable(store: Store, a: str, b: str) -> list[str]:
    """Tables of one row a night or hour that either wrote; larger ones, partitioned by month, only when named."""
    found = []
    for name in tables(store):
        handle = None if name in OWN else delta.open_table(store, name)
        if handle is None or "month" in delta.layout_of(handle).partition_by:
            continue
        if any(delta.live(handle, name, module_id) for module_id in (a, b)):
            found.append(name)
    return found


def pair(store: Store, table: str, a: str, b: str) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Rows that both versions have, columns of B with the suffix `:b`, and the key on which they were joined."""
    handle = delta.open_table(store, table)
    if handle is None:
        raise UserError(f"{store.uri}: no table {table}; there are {', '.join(tables(store))}")
    key = delta.layout_of(handle).key
    sides = [scan(store, table, module_id).drop("module_id", "month", strict=False) for module_id in (a, b)]
    return sides[0].join(sides[1], on=key, how="inner", suffix=":b", nulls_equal=True).collect(), key


def features(pairs: pl.DataFrame) -> pl.DataFrame:
    """One row a column, the most changed first.

    `rows` have a value in both; `changed` is the share of all pairs that differ; `median` of B − A and `p95` of its
    absolute value over `rows`, in the column's unit (seconds for times), null where a difference has no meaning;
    `gained` and `lost` count values that only B or only A has.
    """
    names = [name for name in pairs.columns if f"{name}:b" in pairs.columns]
    told = [_feature(name, pairs[name], pairs[f"{name}:b"]) for name in names]
    return pl.DataFrame(told, schema=FEATURES, orient="row").sort("changed", "feature", descending=[True, False])


def _feature(name: str, a: pl.Series, b: pl.Series) -> tuple[Any, ...]:
    changed = a.ne_missing(b)
    gained, lost = (a.is_null() & b.is_not_null()).sum(), (a.is_not_null() & b.is_null()).sum()
    difference = None
    if a.dtype.is_numeric():
        difference = (b.cast(pl.Float64) - a.cast(pl.Float64)).drop_nulls()
    elif a.dtype.is_temporal():
        difference = (b.cast(pl.Datetime("us")) - a.cast(pl.Datetime("us"))).dt.total_microseconds().drop_nulls() / 1e6
    known = int((a.is_not_null() & b.is_not_null()).sum())
    share = float(changed.mean() or 0.0) if a.len() else 0.0  # type: ignore[arg-type]
    if difference is None or not difference.len():
        return name, known, share, None, None, gained, lost
    return name, known, share, difference.median(), difference.abs().quantile(0.95, "linear"), gained, lost


def moves(pairs: pl.DataFrame, column: str) -> pl.DataFrame:
    """before, after, rows: how often a category (such as the band of a night) became another."""
    apart = pairs.filter(pl.col(column).ne_missing(pl.col(f"{column}:b")))
    counted = apart.group_by(before=column, after=f"{column}:b").agg(rows=pl.len().cast(pl.Int64))
    return counted.sort(["rows", "before", "after"], descending=[True, False, False])


def statuses(store: Store, a: str, b: str) -> pl.DataFrame:
    """before, after, rows: files whose status differs; null where only one version has the file."""
    sides = [ledger.scan(store, module_id).select("work_key", "file", "status") for module_id in (a, b)]
    pairs = sides[0].join(sides[1], on=["work_key", "file"], how="full", suffix=":b", nulls_equal=True).collect()
    return moves(pairs, "status")


def unmatched(store: Store, table: str, a: str, b: str, pairs: int) -> tuple[int, int]:
    """Rows that only A, and that only B has."""
    counts = [int(scan(store, table, module_id).select(pl.len()).collect().item()) for module_id in (a, b)]
    return counts[0] - pairs, counts[1] - pairs
