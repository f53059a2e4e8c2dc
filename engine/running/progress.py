"""A run in progress: receipts come in, commits go out, and `runs` says in which state it is."""

from __future__ import annotations

import io
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

import polars as pl

from engine.commit import LEDGER, Committer, Journal
from engine.compact import Sizes, compact
from engine.events import BatchFinished, Committed, Listener, RunFinished
from engine.module import Table
from engine.running.receipt import Part, Receipt
from engine.running.record import RunRecord, all_tables, dictionary_change, machine, runs_change
from engine.schemas import BAD
from engine.storage import Store
from engine.tables import delta
from engine.tables.intents import Change
from engine.tables.replace import Owed


@dataclass(frozen=True, slots=True)
class CommitSettings:
    """When finished work becomes visible: after so many seconds, or so many bytes of new parts."""

    every_s: float = 60.0
    every_bytes: int = 1_000_000_000
    compact: bool = True
    sizes: Sizes = field(default_factory=Sizes)


@dataclass(frozen=True, slots=True)
class RunSummary:
    """How a run ended. `statuses` counts files, `rows` the rows that it wrote into each table."""

    run_id: str
    state: str
    statuses: Mapping[str, int]
    rows: Mapping[str, int]
    seconds: float

    @property
    def bad(self) -> int:
        """Files that failed or were quarantined."""
        return sum(self.statuses.get(name, 0) for name in BAD)


class Progress:
    """One run over one output, from its first row in `runs` to its last. `statuses` counts files so far."""

    def __init__(
        self,
        record: RunRecord,
        output: Store,
        number: int,
        outputs: Mapping[str, Table],
        settings: CommitSettings,
        listener: Listener,
        ledger: str = LEDGER,
    ) -> None:
        self.statuses: Counter[str] = Counter()
        self._record = record
        self._store = output
        self._outputs = outputs
        self._settings = settings
        self._listener = listener
        self._journal = Journal(output, record.run_id, str(machine()["host"]), number)
        self._ledger = ledger
        self._committer = Committer(self._journal, record.module_id, outputs, ledger)
        self._owed = Owed(())
        self._crumbs: Counter[tuple[str, ...]] = Counter()
        self._rows: Counter[str] = Counter()
        self._started = time.monotonic()
        self._clear()

    def start(self, shared_removals: Collection[str], inventory: bytes | None) -> None:
        """The first commit: the run says that it runs, and every table exists with all its columns."""
        if inventory is not None:
            self._store.write(f"_runs/{self._record.run_id}/inventory.parquet", inventory)
        layouts = {name: delta.layout(table) for name, table in all_tables(self._outputs, self._ledger).items()}
        changes = {name: Change(name, at) for name, at in layouts.items() if delta.is_narrower(self._store, name, at)}
        changes["runs"] = runs_change(self._store, self._record)
        # The dictionary comes last: what it names exists.
        changes.pop("dictionary", None)
        changes["dictionary"] = dictionary_change(self._store, self._outputs, self._ledger)
        self._journal.post("start", list(changes.values()))
        self._owed = Owed(shared_removals)

    def take(self, receipt: Receipt, removals_with: Callable[[Collection[str]], Collection[str]]) -> None:
        """Count what one task did, and commit if it is time."""
        rows = pl.read_ipc_stream(io.BytesIO(receipt.ledger))
        statuses = _counts(rows["status"])
        causes = _counts(rows.filter(pl.col("status").is_in(BAD))["cause"])
        self.statuses.update(statuses)
        self._rows.update({part.table: 0 for part in receipt.parts})
        for part in receipt.parts:
            self._rows[part.table] += part.rows
        self._receipts.append(receipt)
        self._due |= self._owed.take(removals_with(rows["work_key"].unique().to_list()))
        self._bytes += sum(part.size_bytes for part in receipt.parts)
        size_bytes = int(rows["size_bytes"].sum())
        self._listener(BatchFinished(rows.height, size_bytes, receipt.seconds, statuses, causes))
        waited_s = time.monotonic() - self._since
        if waited_s >= self._settings.every_s or self._bytes >= self._settings.every_bytes:
            self._commit()

    def end(self, state: str) -> RunSummary:
        """Commit what is left, compact, and write down how the run ended."""
        if state == "finished":
            self._due |= self._owed.rest()
        self._commit()
        if self._settings.compact and state == "finished":
            compact(self._journal, [*self._outputs, self._ledger], self._listener, self._settings.sizes)
        self._journal.post("end", [runs_change(self._store, self._record.ended(state, self.statuses))])
        seconds = time.monotonic() - self._started
        summary = RunSummary(self._record.run_id, state, dict(self.statuses), dict(self._rows), seconds)
        self._listener(RunFinished(summary.run_id, state, seconds, summary.statuses, summary.rows))
        return summary

    def _clear(self) -> None:
        self._receipts: list[Receipt] = []
        self._due: set[str] = set()
        self._bytes = 0
        self._since = time.monotonic()

    def _commit(self) -> None:
        receipts, due, size_bytes, started = self._receipts, self._due, self._bytes, time.monotonic()
        # Forgotten before the commit: should it fail half way, its intent holds them, and none is committed twice.
        self._clear()
        if not receipts and not due:
            return
        number = self._committer.commit(receipts, due)
        parts = [part for receipt in receipts for part in receipt.parts]
        files = sum(pl.read_ipc_stream(io.BytesIO(receipt.ledger)).height for receipt in receipts)
        self._listener(Committed(number, files, len(parts), size_bytes, time.monotonic() - started))
        self._sweep(parts)
        self._since = time.monotonic()

    def _sweep(self, parts: Collection[Part]) -> None:
        """Compact the tables of which one partition got many parts in this run."""
        self._crumbs.update((part.table, *part.partition.values()) for part in parts)
        crowded = {where[0] for where, count in self._crumbs.items() if count > self._settings.sizes.many}
        if self._settings.compact and crowded:
            compact(self._journal, sorted(crowded), self._listener, self._settings.sizes)
            self._crumbs = Counter({where: n for where, n in self._crumbs.items() if where[0] not in crowded})


def _counts(values: pl.Series) -> dict[str, int]:
    return dict(Counter(values.drop_nulls().to_list()))
