"""The inventory against the ledger, by hashes: which Sources the ledger does not have as they are now.

A hash takes 8 bytes where a name takes 50, so 5 million rows of either side fit into a few hundred MB. Two hashes of 64
bits must agree for a Source to count as done. What hashes say beyond done, new and older is settled on the strings
themselves, see `engine.planning.staleness`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import polars as pl

from engine.identity import module_name
from engine.inputs import grouping
from engine.inventory import Inventory

MOST_SOUGHT = 1_000_000

COUNTED: dict[Any, Any] = {"inputs": pl.UInt32, "size_bytes": pl.Int64}


@dataclass(frozen=True)
class Compared:
    """`sources` has one row a Source, in the plan's order: position, source (hash of its id), inputs, size_bytes; seen:
    the ledger has it for this module; equal: the ledger has it as it is now; again: it is to be run nevertheless.

    `moves` has pairs: was, a work of the ledger that has changed since; source, a Source that may have files of it now.
    """

    sources: pl.DataFrame
    moves: pl.DataFrame


def compare(inventory: Inventory, mine: pl.LazyFrame, retry: Collection[str]) -> Compared:
    """`mine` are the ledger's rows of this module, `retry` statuses that are to be run again."""
    sources = _sources(inventory)
    rows = mine.select(
        source=pl.col("work_key").hash(),
        was=pl.col("input_identity").hash(),
        again=pl.col("status").is_in(list(retry)),
    ).collect(engine="streaming")
    known = rows.group_by("source").agg(pl.col("was").first(), pl.col("again").any())
    joined = sources.join(known, on="source", how="left", maintain_order="left").with_row_index("position")
    left = known.join(sources, left_on=["source", "was"], right_on=["source", "identity"], how="anti")
    compared = joined.select(
        "position",
        "source",
        "inputs",
        "size_bytes",
        seen=pl.col("was").is_not_null(),
        equal=(pl.col("was") == pl.col("identity")).fill_null(False),
        again=pl.col("again").fill_null(False),
    )
    return Compared(compared, _moves(inventory, mine, left.select(was="source")))


def _sources(inventory: Inventory) -> pl.DataFrame:
    """Hashes of id and identity, number of inputs and bytes of every Source, in the plan's order."""
    found = [pl.DataFrame(schema={"source": pl.UInt64, "identity": pl.UInt64} | COUNTED)]
    for rows in inventory.frames():
        named = rows.select(pl.col("source_id").hash().alias("source"), "position").unique("position")
        hashed = grouping.sources(rows).select(
            pl.col("source_id").hash().alias("source"), pl.col("identity").hash(), *COUNTED
        )
        found.append(hashed.join(named, on="source").sort("position").drop("position").cast(COUNTED))
    return pl.concat(found)


def _moves(inventory: Inventory, mine: pl.LazyFrame, left: pl.DataFrame) -> pl.DataFrame:
    """A file is the same where its URI is, or name and content."""
    pairs = [pl.DataFrame(schema={"was": pl.UInt64, "source": pl.UInt64})]
    if left.height:
        ledger = of_works(mine, left["was"])
        rows = _hashed(ledger, was="work_key", place="uri", name="file", content="content_key")
        was = rows.collect(engine="streaming").join(left, on="was", how="semi")
        for chunk in inventory.frames():
            held = grouping.inputs(chunk).lazy()
            now = _hashed(held, source="source_id", place="uri", name="input", content="content_key").collect()
            for same in (["place"], ["name", "content"]):
                pairs.append(was.join(now, on=same).filter(pl.col("was") != pl.col("source")).select("was", "source"))
    return pl.concat(pairs).unique()


def kinds(inventory: Inventory, mine: pl.LazyFrame, changed: pl.DataFrame) -> pl.DataFrame:
    """source, added, removed, altered: whether a Source has inputs that came, that went, that have other content."""
    wanted = changed.select("source")
    held = [pl.DataFrame(schema=dict.fromkeys(("source", "name", "content"), pl.UInt64))]
    for rows in inventory.at(changed["position"]):
        named = _hashed(grouping.inputs(rows).lazy(), source="source_id", name="input", content="content_key")
        held.append(named.collect())
    ledger = _hashed(of_works(mine, wanted["source"]), source="work_key", name="file", old="content_key")
    was = ledger.collect(engine="streaming").join(wanted, on="source", how="semi")
    pairs = pl.concat(held).join(was, on=["source", "name"], how="full", coalesce=True)
    return pairs.group_by("source").agg(
        added=pl.col("old").is_null().any(),
        removed=pl.col("content").is_null().any(),
        altered=(pl.col("content") != pl.col("old")).any(),
    )


def newest_versions(ledger: pl.LazyFrame, module_id: str) -> pl.DataFrame:
    """source, module_id: which other version of this module had a Source last."""
    older = ledger.filter(pl.col("module_id").str.head(-13) == module_name(module_id), pl.col("module_id") != module_id)
    runs = older.select("module_id", "run_id").unique().collect(engine="streaming").sort("run_id", "module_id")
    ages = runs.with_row_index("age")
    last = (
        older.select("module_id", "run_id", source=pl.col("work_key").hash())
        .join(ages.lazy(), on=["module_id", "run_id"])
        .group_by("source")
        .agg(pl.col("age").max())
        .collect(engine="streaming")
    )
    return last.join(ages.select("age", "module_id"), on="age").drop("age")


def of_works(ledger: pl.LazyFrame, works: pl.Series) -> pl.LazyFrame:
    """The ledger's rows of these works (hashes of their keys), or all of its rows where they are very many.

    A filter and not a join: the reader then decodes nothing of the other rows (tried: a streaming semi join holds
    twice as much).
    """
    if len(works) > MOST_SOUGHT:
        return ledger
    return ledger.filter(pl.col("work_key").hash().is_in(works.implode()))


def _hashed(rows: pl.LazyFrame, **columns: str) -> pl.LazyFrame:
    return rows.select(pl.col(column).hash().alias(name) for name, column in columns.items())
