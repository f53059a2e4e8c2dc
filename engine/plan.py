"""The plan: what is to do, why, how long it may take, and which earlier rows go."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.identity import Identity, module_name
from engine.inputs import grouping
from engine.inputs.assemble import hint
from engine.inputs.calibrations import calibrations_of
from engine.inputs.sources import SourceWork
from engine.inventory import Inventory
from engine.module import Source
from engine.planning import staleness
from engine.planning.against_ledger import compare, kinds, newest_versions, of_works
from engine.planning.staleness import MODULE_CHANGED, NEW, RETRY, WHYS
from engine.storage import StoreOptions
from engine.work import FileRef, Input, Work

GUESSED_S_PER_MB = 0.1
"""An Empatica E4 night of about 1.1 MB as zip takes about 0.11 s."""

LEAST_S = 0.002
SOURCE_FACTS = ("source_id", "subject_id", "zone", "device_offset_s", "night_hint", "received_at")
CALIBRATED = "calibrations"
FILE_FACTS = ("input", "file", "uri", "size_bytes", "content_key")
TOLD = ("source_id", "subject_id", "night_hint")
LOT_SOURCES = 250_000
"""Sources whose names, places and facts are held at once, from inventory and ledger."""
TOLD_SOURCES = 100_000
"""Changed Sources, in the plan's order, of which a sentence says what changed; of the others a word does."""
RATED_WORKS = 200_000

WHY = pl.Enum(WHYS)
_NO_WHY = pl.DataFrame(schema={"position": pl.UInt32, "why": WHY, "detail": pl.String})
_NOTHING = pl.DataFrame(schema={"work_key": pl.String, "source_id": pl.String})
_NOBODY = pl.DataFrame(schema={"position": pl.UInt32, **dict.fromkeys(TOLD, pl.String), "night_hint": pl.Date})


@dataclass(frozen=True, slots=True)
class Rate:
    """Seconds of one core per MB (10⁶ bytes) of input; `measured` on earlier works or a pilot, or guessed."""

    seconds_per_mb: float
    measured: bool


@dataclass(frozen=True)
class Plan:
    """`todo` has one row a Source to process, in the order in which it is done: by partition hint, subject, night.

    `todo`: position (in the inventory), why, detail (a sentence or null), seen (this module has rows of it that go),
    inputs, size_bytes. `taken`: work_key (also with rows of this module that go), source_id (the Source that has its
    files now and whose commit takes the rows along).
    """

    inventory: Inventory
    todo: pl.DataFrame
    taken: pl.DataFrame
    rate: Rate
    options: StoreOptions = field(default_factory=StoreOptions)

    @property
    def count(self) -> int:
        """Works to do."""
        return self.todo.height

    @property
    def files(self) -> int:
        """Inputs to process."""
        return int(self.todo["inputs"].sum())

    @property
    def size_bytes(self) -> int:
        return int(self.todo["size_bytes"].sum())

    @property
    def done_files(self) -> int:
        """Inputs that the ledger has as they are now."""
        return self.inventory.counts.inputs - self.files

    @property
    def predicted_s(self) -> float:
        """Seconds of one core for all works, as the sum over `works()` would be."""
        return float(self.todo.select(_predicted(self.rate).sum()).item())

    @property
    def summary(self) -> pl.DataFrame:
        """why, detail (null where it differs among those that have one), works, files, size_bytes; most works first."""
        told = pl.col("detail").drop_nulls()
        same = pl.when(told.n_unique() == 1).then(told.first())
        totals = (pl.col("inputs").cast(pl.Int64).sum().alias("files"), pl.col("size_bytes").sum())
        counted = self.todo.group_by("why").agg(same.alias("detail"), pl.len().alias("works"), *totals)
        return counted.with_columns(pl.col("why").cast(pl.String)).sort(["works", "why"], descending=[True, False])

    @cached_property
    def stale(self) -> pl.DataFrame:
        """`todo` for a person: source_id, subject_id, night_hint, hint, why, detail, inputs, size_bytes."""
        return self.first_stale(self.count)

    def first_stale(self, most: int) -> pl.DataFrame:
        """The first `most` rows of `stale`."""
        todo = self.todo.head(most)
        about = [rows.select("position", *TOLD).unique("position") for rows in self.inventory.at(todo["position"])]
        named = todo.join(pl.concat([_NOBODY, *about]), on="position", maintain_order="left")
        why = pl.col("why").cast(pl.String)
        return named.select(*TOLD, hint(), why, "detail", "inputs", "size_bytes")

    @cached_property
    def shared_removals(self) -> frozenset[str]:
        """Keys of this module's works whose files belong, in part or all, to other Sources now."""
        return frozenset(self.taken["work_key"])

    def removals_with(self, keys: Collection[str]) -> frozenset[str]:
        """Keys of this module's works whose rows go in the commit of these: run again, or these have their files."""
        names = pl.Series(list(keys), dtype=pl.String)
        sought = names.hash().to_numpy()
        again = names.filter(self._again[np.searchsorted(self._again, sought)] == sought)
        return frozenset([*again, *(name for key in names for name in self._taken_by.get(key, ()))])

    @cached_property
    def _again(self) -> NDArray[np.uint64]:
        """Sorted hashes of Sources of which there are rows, and one more that ends the search.

        Names of millions would take gigabytes; where two hashes agree, rows are looked for in vain, no more.
        """
        seen = self.inventory.at(self.todo.filter("seen")["position"])
        hashes = [rows["source_id"].hash().unique().to_numpy() for rows in seen]
        return np.sort(np.concatenate([*hashes, np.array([2**64 - 1], np.uint64)]))

    @cached_property
    def _taken_by(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for work_key, source_id in self.taken.iter_rows():
            found.setdefault(source_id, []).append(work_key)
        return found

    def works(self) -> Iterator[Work]:
        """The works in order, built as they are asked for."""
        for rows in self.inventory.at(self.todo["position"]):
            order = rows.select("source_id", "position").unique("position")
            facts = grouping.sources(rows).join(order, on="source_id").sort("position")
            sources = facts.select(*SOURCE_FACTS, CALIBRATED, "identity", predicted_s=_predicted(self.rate))
            held = groupby(rows.select("source_id", *FILE_FACTS).iter_rows(), key=itemgetter(0))
            for row, (_, own) in zip(sources.iter_rows(named=True), held, strict=True):
                yield _work(row, list(own), self.options)


def everything(inventory: Inventory, options: StoreOptions) -> Plan:
    """All Sources, whatever any ledger says."""
    nothing = pl.LazyFrame(schema=dict.fromkeys(staleness.LEDGER_COLUMNS, pl.String))
    sources = compare(inventory, nothing, ()).sources
    todo = sources.select("position", "seen", "inputs", "size_bytes", **_said(NEW, None))
    return Plan(inventory, todo, _NOTHING, Rate(GUESSED_S_PER_MB, False), options)


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
    mine = rows.filter(pl.col("module_id") == identity.module_id)
    compared = compare(inventory, mine, retry)
    is_taker = pl.col("source").is_in(compared.moves["source"].unique().implode())
    changed = compared.sources.filter("seen", ~pl.col("equal"))
    takers = compared.sources.filter(is_taker)
    exact = pl.concat([changed.head(TOLD_SOURCES), takers]).unique("position").sort("position")
    settled, taken = _settled(inventory, mine, exact, compared.moves)
    untold = changed.join(exact, on="position", how="anti", maintain_order="left")
    different = pl.concat([settled, _in_a_word(inventory, mine, untold)])
    rest = compared.sources.join(different, on="position", how="anti")
    again = rest.filter("equal", "again").select("position", **_said(RETRY, f"asked for: {', '.join(sorted(retry))}"))
    unseen = _unseen(rest.filter(~pl.col("seen")), rows, identity, last_runs)
    whys = pl.concat([different, again, unseen])
    todo = compared.sources.select("position", "seen", "inputs", "size_bytes").join(whys, on="position")
    rate = measured_rate(rows, identity.module_id)
    return Plan(inventory, todo.sort("position"), taken, rate, options or StoreOptions())


def _said(why: str, detail: str | None) -> dict[str, pl.Expr]:
    return {"why": pl.lit(why, WHY), "detail": pl.lit(detail, pl.String)}


def _settled(
    inventory: Inventory, mine: pl.LazyFrame, doubtful: pl.DataFrame, moves: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """position, why, detail of Sources that are different or have others' files, on the strings, a lot at a time."""
    told, taken = [_NO_WHY], [_NOTHING]
    ledger = mine.select(staleness.LEDGER_COLUMNS)
    for lot in doubtful.select("position", "source").iter_slices(LOT_SOURCES):
        rows = pl.concat(list(inventory.at(lot["position"])))
        connected = moves.join(lot, on="source", how="semi").select(source="was")
        keys = pl.concat([lot.select("source"), connected]).unique()
        was = of_works(ledger, keys["source"]).collect(engine="streaming")
        whys, moved = staleness.why_different(rows.drop("position"), was)
        order = rows.select("source_id", "position").unique("position")
        told.append(whys.join(order, on="source_id").select("position", pl.col("why").cast(WHY), "detail"))
        taken.append(moved)
    return pl.concat(told), pl.concat(taken)


def _in_a_word(inventory: Inventory, mine: pl.LazyFrame, changed: pl.DataFrame) -> pl.DataFrame:
    """position, why and no detail: nobody reads a million sentences, and they take a minute to write."""
    if changed.is_empty():
        return _NO_WHY
    why = (
        pl.when("added").then(pl.lit(staleness.FILES_ADDED, WHY))
        .when("removed").then(pl.lit(staleness.FILES_REMOVED, WHY))
        .when("altered").then(pl.lit(staleness.INPUT_CHANGED, WHY))
        .otherwise(pl.lit(staleness.FACTS_CHANGED, WHY))
    )  # fmt: skip
    named = changed.select("position", "source").join(kinds(inventory, mine, changed), on="source")
    return named.select("position", why=why, detail=pl.lit(None, pl.String))


def _unseen(unseen: pl.DataFrame, ledger: pl.LazyFrame, identity: Identity, runs: pl.DataFrame) -> pl.DataFrame:
    """position, why, detail: an older version of the module had them, or nobody did."""
    if unseen.is_empty():
        return _NO_WHY
    last = newest_versions(ledger, identity.module_id)
    versions = last["module_id"].unique().sort()
    changes = pl.DataFrame(
        {"module_id": versions, "detail": [staleness.changes(version, identity, runs) for version in versions]},
        schema={"module_id": pl.String, "detail": pl.String},
    )
    by_version = last.join(changes, on="module_id")
    told = unseen.select("position", "source").join(by_version, on="source", how="left")
    why = pl.when(pl.col("detail").is_null()).then(pl.lit(NEW, WHY)).otherwise(pl.lit(MODULE_CHANGED, WHY))
    return told.select("position", why=why, detail="detail")


def measured_rate(ledger: pl.LazyFrame, module_id: str) -> Rate:
    """From the ledger's works of the same module, of this version if it has any; else a guess.

    Of many works a share is enough, the same one every time.
    """
    rows = ledger.filter(pl.col("module_id").str.head(-13) == module_name(module_id), pl.col("seconds") > 0)
    share = rows.select(pl.len()).collect(engine="streaming").item() // RATED_WORKS + 1
    works = (
        rows.select("module_id", "seconds", "size_bytes", work=pl.col("work_key").hash())
        .filter(pl.col("work") % share == 0)
        .group_by("module_id", "work")
        .agg(pl.col("seconds").max(), pl.col("size_bytes").sum())
        .group_by("module_id")
        .agg(pl.col("seconds", "size_bytes").sum())
        .collect(engine="streaming")
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
    known = {name: row[name] for name in SOURCE_FACTS}
    source = Source(files=tuple(file[2] for file in files), calibrations=calibrations_of(row[CALIBRATED]), **known)
    inputs = tuple(Input(name, tuple(refs)) for name, refs in sorted(held.items()))
    return SourceWork(source, inputs, row["identity"], row["predicted_s"], options)
