"""What the driver itself writes at the end: the small tables that need all rows of a run at once."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from engine.backtest.scores.summary import score_table
from engine.backtest.scores.table import SCORES
from engine.commit import WORK_LEDGER, Journal, recover
from engine.module import Table
from engine.results.open import scan
from engine.running.record import dictionary_change, machine
from engine.storage import Store
from engine.tables import delta
from engine.tables.intents import Change
from engine.tables.parts import write_part
from engine.task import sort_rows

FINAL: Mapping[str, Table] = {"scores": SCORES}
"""Tables that no unit of work writes."""


def finish(store: Store, module_id: str, cpu: pl.DataFrame | None = None) -> int:
    """Write `scores` out of the sums that the serving `module_id` committed, and return its number of rows.

    cpu: what each configuration's fits cost, see `scores.cost`. Doing so again changes nothing.
    """
    frame = score_table(scan(store, "score_sums", module_id), cpu)
    table = sort_rows(frame.to_arrow().cast(SCORES.schema), SCORES)
    layout = delta.layout(SCORES)
    handle = delta.open_table(store, "scores")
    old = [] if handle is None else delta.live(handle, "scores", module_id)
    part = write_part(store, "scores", table, SCORES.key, {"module_id": module_id})
    if [found.part.path for found in old] != [part.path]:
        change = Change.exchange("scores", layout, [part], [found.part for found in old])
        journal = Journal(store, f"finish-{module_id}", str(machine()["host"]), recover(store))
        journal.post("scores", [change, dictionary_change(store, FINAL, WORK_LEDGER)])
    return int(table.num_rows)
