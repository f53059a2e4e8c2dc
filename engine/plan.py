"""The plan: what is to do, why, how long it may take, and which earlier rows go."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from operator import itemgetter
from typing import Any

import polars as pl

from engine import staleness
from engine.identity import Identity, module_name
from engine.inventory import Inventory
from engine.module import Source
from engine.sources import SourceWork
from engine.storage import StoreOptions
from engine.work import FileRef, Input, Work

GUESSED_S_PER_MB = 0.1
"""An Empatica E4 night of about 1.1 MB as zip takes about 0.11 s."""

LEAST_S = 0.002
SOURCE_FACTS = ("source_id", "subject_id", "zone", "device_offset_s", "night_hint", "received_at")
FILE_FACTS = ("input", "file", "uri", "size_bytes", "content_key")


@dataclass(frozen=True, slots=True)
class Rate:
    """Seconds of one core per MB (10⁶ bytes) of input; `measured` on earlier works or a pilot, or guessed."""

    seconds_per_mb: float
    measured: bool


@dataclass(frozen=True)
class Plan:
    """`stale` has one row a Source to process, in the order in which it is done: by partition hint, subject, night.

    `stale`: source_id, subject_id, night_hint, hint, why, detail, inputs, size_bytes. `superseded`: work_key (with rows
    of this module that go), source_id (the Source whose commit takes them along).
    """

    inventory: Inventory
    stale: pl.DataFrame
    superseded: pl.DataFrame
    rate: Rate
    options: StoreOptions = field(default_factory=StoreOptions)

    @property
    def count(self) -> int:
        """Works to do."""
        return self.stale.height

    @property
    def files(self) -> int:
        """Inputs to process."""
        return int(self.stale["inputs"].sum())

    @property
    def size_bytes(self) -> int:
        return int(self.stale["size_bytes"].sum())

    @property
    def done_files(self) -> int:
        """Inputs that the ledger has as they are now."""
        return int(self.inventory.sources["inputs"].sum()) - self.files

    @property
    def predicted_s(self) -> float:
        """Seconds of one core for all works, as the sum over `works()` would be."""
        return float(self.stale.select(_predicted(self.rate).sum()).item())

    @property
    def summary(self) -> pl.DataFrame:
        """why, detail (null where it differs), works, files, size_bytes; most works first."""
        same = pl.when(pl.col("detail").n_unique() == 1).then(pl.col("detail").first())
        totals = (pl.col("inputs").sum().alias("files"), pl.col("size_bytes").sum())
        counted = (
            self.stale.group_by("why")
            .agg(detail=same, works=pl.len())
            .join(self.stale.group_by("why").agg(*totals), on="why")
        )
        return counted.sort(["works", "why"], descending=[True, False])

    @cached_property
    def removals(self) -> frozenset[str]:
        """Keys of this module's works whose rows must go: run again, or their files belong to other Sources now."""
        return frozenset(self.superseded["work_key"])

    def removals_with(self, keys: Collection[str]) -> frozenset[str]:
        """The part of `removals` that goes in the commit of these works."""
        return frozenset(name for key in keys for name in self._removed_with.get(key, ()))

    @cached_property
    def _removed_with(self) -> dict[str, list[str]]:
        grouped = self.superseded.group_by("source_id").agg("work_key")
        return dict(zip(grouped["source_id"], grouped["work_key"].to_list(), strict=True))

    def works(self) -> Iterator[Work]:
        """The works in order, built as they are asked for."""
        facts = self.inventory.sources.select(*SOURCE_FACTS, "identity")
        order = self.stale.select("source_id", "size_bytes").with_row_index("order")
        sources = order.join(facts, on="source_id").sort("order").with_columns(predicted_s=_predicted(self.rate))
        files = self.inventory.files.join(order.select("source_id", "order"), on="source_id").sort("order", "file")
        held = groupby(files.select("source_id", *FILE_FACTS).iter_rows(), key=itemgetter(0))
        for row, (_, own) in zip(sources.iter_rows(named=True), held, strict=True):
            yield _work(row, list(own), self.options)


def everything(inventory: Inventory, options: StoreOptions) -> Plan:
    """All Sources, whatever any ledger says."""
    stale = inventory.sources.select("source_id", why=pl.lit(staleness.NEW), detail=pl.lit(None, pl.String))
    nothing = pl.DataFrame(schema={"source_id": pl.String, "work_key": pl.String})
    return Plan(inventory, _ordered(inventory, stale), nothing, Rate(GUESSED_S_PER_MB, False), options)


def make(
    inventory: Inventory,
    ledger: pl.LazyFrame | pl.DataFrame,
    identity: Identity,
    last_runs: pl.DataFrame,
    retry: Collection[str] = (),
    options: StoreOptions | None = None,
) -> Plan:
    """What of the inventory the ledger lacks for this module; `retry` are statuses to run again.

    `ledger` has the rows of all modules (see `engine.ledger.scan`), `last_runs` the table of runs.
    """
    rows = ledger.lazy()
    stale = _ordered(inventory, staleness.stale(inventory, rows, identity, last_runs, retry))
    mine = rows.filter(pl.col("module_id") == identity.module_id).select(staleness.LEDGER_COLUMNS).collect()
    again = stale.join(mine, left_on="source_id", right_on="work_key", how="semi")
    superseded = pl.concat(
        [
            again.select("source_id", work_key="source_id"),
            staleness.taken_over(inventory, mine).select("source_id", "work_key"),
        ]
    )
    return Plan(inventory, stale, superseded, measured_rate(rows, identity.module_id), options or StoreOptions())


def _ordered(inventory: Inventory, stale: pl.DataFrame) -> pl.DataFrame:
    about = inventory.sources.select("source_id", "subject_id", "night_hint", "inputs", "size_bytes")
    hint = pl.col("night_hint").dt.strftime("%Y-%m").fill_null("")
    hinted = stale.join(about, on="source_id").with_columns(hint=hint)
    return hinted.sort("hint", "subject_id", "night_hint", "source_id")


def measured_rate(ledger: pl.LazyFrame, module_id: str) -> Rate:
    """From the ledger's works of the same module, of this version if it has any; else a guess."""
    works = (
        ledger.filter(pl.col("module_id").str.head(-13) == module_name(module_id), pl.col("seconds") > 0)
        .group_by("module_id", "work_key")
        .agg(pl.col("seconds").max(), pl.col("size_bytes").sum())
        .group_by("module_id")
        .agg(pl.col("seconds", "size_bytes").sum())
        .collect()
    )
    own = works.filter(pl.col("module_id") == module_id)
    used = own if own.height else works
    size_mb = float(used["size_bytes"].sum()) / 1e6
    return Rate(float(used["seconds"].sum()) / size_mb, True) if size_mb > 0 else Rate(GUESSED_S_PER_MB, False)


def _predicted(rate: Rate) -> pl.Expr:
    return (pl.col("size_bytes") / 1e6 * rate.seconds_per_mb).clip(lower_bound=LEAST_S)


def _work(row: dict[str, Any], files: list[tuple[Any, ...]], options: StoreOptions) -> SourceWork:
    held: dict[str, list[FileRef]] = {}
    for _, name, *file in files:
        held.setdefault(name, []).append(FileRef(*file))
    source = Source(files=tuple(file[2] for file in files), **{name: row[name] for name in SOURCE_FACTS})
    inputs = tuple(Input(name, tuple(refs)) for name, refs in sorted(held.items()))
    return SourceWork(source, inputs, row["identity"], row["predicted_s"], options)
