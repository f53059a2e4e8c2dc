"""Committing: an intent, then each table, the ledger last; and bringing an interrupted one to its end.

The steps are separate functions, in the order in which they happen, because tests stop the driver between any two:
`check_parts`, `write_ledger`, `intents.put` (this is the commit), `apply_change` for each table.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.ipc
from deltalake import DeltaTable

from engine.errors import InfrastructureError, OutputBusy
from engine.events import IntentReplayed, Listener, ignore
from engine.module import Table
from engine.running.receipt import Part, Receipt
from engine.schemas import FILES, TIME
from engine.storage import Store
from engine.tables import delta, intents, replace
from engine.tables.intents import Change, Intent
from engine.tables.parts import write_part

LEDGER, WORK_LEDGER = "files", "work"
LEDGERS = (LEDGER, WORK_LEDGER)
"""Where the fate of each input, or of each unit of work that has no inputs, is written; a reprocessing has the second
one if a step read its rows."""
CHECKS_AT_ONCE = 16


def recover(store: Store, listener: Listener = ignore) -> int:
    """Bring the newest intent to its end, whoever wrote it, and return its number (0 = nothing was ever committed).

    Call it before anything reads the ledger. Repeating it changes nothing.
    """
    intent = intents.last(store)
    if intent is None:
        return 0
    if apply(store, intent):
        listener(IntentReplayed(intent.number, intent.run_id))
    return intent.number


class Journal:
    """The only way to change an output: numbered intents of one driver, each wholly applied before the next is put."""

    def __init__(self, store: Store, run_id: str, host: str, number: int) -> None:
        """`number` is what `recover` returned: if another driver has committed since, the first post is refused."""
        self.store = store
        self.run_id = run_id
        self.host = host
        self.number = number
        self._unfinished: Intent | None = None

    def post(self, purpose: str, changes: Sequence[Change]) -> int:
        """Commit `changes` under the next number, which is returned. Raises `OutputBusy`, `InfrastructureError`."""
        if self._unfinished is not None:  # storage failed in the middle of it
            self._finish(self._unfinished)
        intent = Intent(self.number + 1, self.run_id, self.host, purpose, tuple(changes))
        intents.put(self.store, intent)
        self.number = intent.number
        self._finish(intent)
        return self.number

    def _finish(self, intent: Intent) -> None:
        self._unfinished = intent
        apply(self.store, intent)
        self._unfinished = None


def apply(store: Store, intent: Intent) -> int:
    """Bring every table to this commit, in the intent's order; how many were not there yet."""
    return sum(apply_change(store, change, intent.number) for change in intent.changes)


def apply_change(store: Store, change: Change, number: int) -> bool:
    """Bring one table to commit `number`; False where it is there already."""
    handle = delta.open_table(store, change.table)
    if handle is None:
        if delta.create(store, change.table, change.layout, change.adds, number):
            return True
        handle = delta.open_table(store, change.table)
    try:
        return _write_unless_done(store, handle, change, number)
    except delta.Conflict as conflict:
        # Somebody replays the same intent: either it is done now, or the other writer is not ours.
        if _reached(delta.open_table(store, change.table), number):
            return False
        raise InfrastructureError(str(conflict)) from conflict


def _write_unless_done(store: Store, handle: DeltaTable | None, change: Change, number: int) -> bool:
    if handle is None or _reached(handle, number):
        return False
    missing = delta.missing_columns(handle, change.table, change.layout)
    if missing:
        delta.add_columns(handle, change.table, missing)
        handle = delta.open_table(store, change.table)
    if change.removes:
        _check_removable(store, handle, change)
    delta.write(handle, change.table, change.adds, change.removes, number, change.data_change)
    return True


def _reached(handle: DeltaTable | None, number: int) -> bool:
    # delta-rs would accept the same number again, and adding a path again after a compaction would double its rows.
    return handle is not None and (handle.transaction_version(delta.APP) or 0) >= number


def _check_removable(store: Store, handle: DeltaTable, change: Change) -> None:
    here = {found.part.path for found in delta.live(handle, change.table)}
    for part in change.removes:
        if part.path not in here:
            raise OutputBusy(
                f"{store.uri}: table {change.table} was rewritten by another program in the middle of a commit; "
                "restore its version before that (DeltaTable.restore) and start the same command again"
            )


class Committer:
    """Commits what tasks report: parts into a module's tables, their ledger rows, and old rows of the same work out."""

    def __init__(self, journal: Journal, module_id: str, outputs: Mapping[str, Table], ledger: str = LEDGER) -> None:
        self._journal = journal
        self._module_id = module_id
        self._layouts = {name: delta.layout(table) for name, table in outputs.items()}
        self._ledger = ledger

    def commit(self, receipts: Sequence[Receipt], removals: Collection[str] = ()) -> int:
        """One commit; returns its number.

        `removals` are keys of works whose earlier rows go, in every table: works that ran again, and works whose inputs
        now belong to others. Raises `InfrastructureError` where a part is not in storage as reported, `OutputBusy`.
        """
        store, run_id = self._journal.store, self._journal.run_id
        parts = [part for receipt in receipts for part in receipt.parts]
        check_parts(store, parts)
        rows = ledger_rows(receipts, run_id, datetime.now(UTC))
        entries = [write_ledger(store, self._ledger, rows, self._module_id)] if rows.num_rows else []
        layouts = {**self._layouts, self._ledger: delta.layout(FILES)}
        added = {name: [part for part in parts if part.table == name] for name in self._layouts}
        added[self._ledger] = entries
        changes = [
            replace.change(store, name, layout, self._module_id, added[name], removals)
            for name, layout in layouts.items()
        ]
        return self._journal.post("rows", [one for one in changes if one.adds or one.removes])


def check_parts(store: Store, parts: Sequence[Part]) -> None:
    """Delta adds files that are not there; so look. Raises `InfrastructureError` naming the first one that is amiss."""
    with ThreadPoolExecutor(CHECKS_AT_ONCE) as pool:
        sizes = pool.map(lambda part: store.size(f"{part.table}/{part.path}"), parts)
        for part, size in zip(parts, sizes, strict=True):
            if size != part.size_bytes:
                found = "is missing" if size is None else f"has {size} bytes"
                where = f"{store.uri}/{part.table}/{part.path}"
                raise InfrastructureError(f"{where} {found}; {part.size_bytes} were written")


def ledger_rows(receipts: Sequence[Receipt], run_id: str, at: datetime) -> pa.Table:
    """The ledger rows of some receipts, sorted, with the two columns that only the committer knows."""
    known = pa.schema([field for field in FILES.schema if field.name not in ("run_id", "committed_at")])
    told = [pa.ipc.open_stream(io.BytesIO(receipt.ledger)).read_all().select(known.names) for receipt in receipts]
    rows = pa.concat_tables([known.empty_table(), *told]).sort_by([(column, "ascending") for column in FILES.sort])
    rows = rows.append_column("run_id", pa.array([run_id] * rows.num_rows, pa.string()))
    rows = rows.append_column("committed_at", pa.array([at] * rows.num_rows, TIME))
    return rows.select(FILES.schema.names).cast(FILES.schema)


def write_ledger(store: Store, ledger: str, rows: pa.Table, module_id: str) -> Part:
    """The ledger part of one commit."""
    return write_part(store, ledger, rows, FILES.key, {"module_id": module_id})
