"""The task: the one function that a worker runs. It evaluates a batch behind the guard and writes its rows as parts.

What it writes depends on the batch alone: no clock, host or attempt is in a part, so doing a batch twice is harmless.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from engine.batches import Batch
from engine.guard import Guard, Limits, Result
from engine.module import Table
from engine.running.fates import ledger
from engine.running.receipt import Part, Receipt
from engine.storage import Store, StoreOptions
from engine.tables.coded import as_text, coded_as
from engine.tables.order import ascends
from engine.tables.parts import write_part
from engine.work import Mapped
from engine.workers.guards import lent_guard


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """What all batches of a run share. It travels to each worker once."""

    mapped: Mapped
    output_uri: str
    options: StoreOptions = field(default_factory=StoreOptions)
    limits: Limits = field(default_factory=Limits)


def run_batch(spec: TaskSpec, batch: Batch, guard: Guard | None = None, attempt: int = 1) -> Receipt:
    """Evaluate the batch's Works and write their rows. `attempt` counts from 1 how often this batch was sent.

    Without a guard this process's own for the spec is used, which lives on between batches. Raises `StaleWorker`,
    `AccessDenied`, and `InfrastructureError` where storage, not a file, fails: then nothing of the batch counts.
    """
    started = time.monotonic()
    if guard is None:
        with lent_guard(spec.mapped, spec.limits) as lent:
            outputs, results = lent.outputs, list(lent.evaluate(batch.works))
    else:
        outputs, results = guard.outputs, list(guard.evaluate(batch.works))
    results.sort(key=lambda result: result.work.key)
    store = Store(spec.output_uri, spec.options)
    parts: list[Part] = []
    for name in sorted(outputs):
        parts += _write_rows(store, name, outputs[name], spec.mapped.module_id, results)
    return Receipt(tuple(parts), ledger(results, socket.gethostname(), attempt), time.monotonic() - started)


def _write_rows(store: Store, name: str, declared: Table, module_id: str, results: Sequence[Result]) -> list[Part]:
    """One part a partition; none where the batch has no rows for the table."""
    found = [result.evaluation.outcome.tables.get(name) for result in results if result.evaluation is not None]
    rows = [_declared(table, declared.schema) for table in found if table is not None and table.num_rows]
    if not rows:
        return []
    whole = sort_rows(_together(rows, declared.schema), declared)
    return [
        write_part(store, name, some, declared.key, {"module_id": module_id} | partition)
        for partition, some in split_months(whole, declared)
    ]


def _declared(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """As declared, with the fields' notes; texts stay codes where they are."""
    return rows.cast(coded_as(schema, rows.schema))


def _together(tables: Sequence[pa.Table], schema: pa.Schema) -> pa.Table:
    if any(one.schema != tables[0].schema for one in tables):
        tables = [one.cast(schema) for one in tables]
    return pa.concat_tables(tables).unify_dictionaries()


def sort_rows(rows: pa.Table, declared: Table) -> pa.Table:
    """Rows by `sort`, then by key: one order whatever the order of Works."""
    order = list(dict.fromkeys((*declared.sort, *declared.key)))
    if ascends(rows, order):
        return rows
    rows = rows.combine_chunks()  # not before: a copy of all columns cost a serving batch a tenth of its CPU
    keys = rows.select(order)
    keys = keys.cast(as_text(keys.schema))
    return rows.take(pc.sort_indices(keys, sort_keys=[(column, "ascending") for column in order]))


def split_months(rows: pa.Table, declared: Table) -> list[tuple[dict[str, str], pa.Table]]:
    """Rows by the month of the partition date, months in order; all as one where the table has no such column."""
    if declared.partition is None:
        return [({}, rows)]
    # By distinct date: formatting each row's cost 2 ms a night.
    dates = pc.unique(rows[declared.partition])
    months: dict[str, list[date]] = {}
    for day in sorted(dates.to_pylist()):
        months.setdefault(f"{day:%Y-%m}", []).append(day)
    if len(months) == 1:
        return [({"month": next(iter(months))}, rows)]
    column = rows[declared.partition]
    return [
        ({"month": month}, rows.filter(pc.is_in(column, pa.array(days, dates.type)))) for month, days in months.items()
    ]
