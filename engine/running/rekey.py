"""Re-keying: moved or copied files have new content keys and old bytes; then the ledger follows, not the work.

Only the bytes decide. A Source is re-keyed where it has the same inputs and facts as the ledger says, and every input
the SHA-256 that was processed; else it stays to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import polars as pl

from engine.commit import LEDGER, Journal, write_ledger
from engine.errors import InputMissing
from engine.identity import content_key
from engine.inputs.sources import SourceWork, digest
from engine.plan import Plan
from engine.planning.staleness import INPUT_CHANGED
from engine.running.fates import where
from engine.running.record import machine, new_run_id, refuse_if_running
from engine.schemas import FILES
from engine.storage import Store
from engine.tables import delta
from engine.tables import replace as replacement
from engine.work import Work

READS_AT_ONCE = 8
WORKS_A_COMMIT = 20_000


@dataclass(frozen=True, slots=True)
class Rekeyed:
    """Sources that now count as done, and those whose files do differ, or are not as the ledger says."""

    same: int
    different: int
    size_bytes: int


def rekey(plan: Plan, ledger: pl.LazyFrame, output: Store, module_id: str, after: int) -> Rekeyed:
    """Read the files of the plan's changed Sources; where the bytes are those of the ledger, commit their new keys.

    `ledger` is `engine.ledger.scan`, `after` what `recover` returned. Plan again afterwards. Raises `OutputBusy`,
    `InfrastructureError`.
    """
    refuse_if_running(output)
    journal = Journal(output, new_run_id(datetime.now(UTC)), str(machine()["host"]), after)
    mine = ledger.filter(pl.col("module_id") == module_id)
    todo = plan.todo.filter(pl.col("why") == INPUT_CHANGED)
    works = replace(plan, todo=todo).works()
    same, size_bytes = 0, 0
    while lot := list(islice(works, WORKS_A_COMMIT)):
        keys = pl.DataFrame({"work_key": [work.key for work in lot]})
        rows = mine.join(keys.lazy(), on="work_key", how="semi").collect(engine="streaming")
        clean = dict(_clean(lot, _by_work(rows)))
        size_bytes += sum(one.size_bytes for work in lot for one in work.inputs)
        if clean:
            _commit(journal, rows, clean, module_id)
        same += len(clean)
    return Rekeyed(same, todo.height - same, size_bytes)


def _by_work(rows: pl.DataFrame) -> dict[str, list[dict[str, Any]]]:
    told = rows.select("work_key", "file", "facts", "bytes_sha256")
    return {str(key): part.to_dicts() for (key,), part in told.partition_by("work_key", as_dict=True).items()}


def _clean(works: Iterable[Work], known: dict[str, list[dict[str, Any]]]) -> Iterator[tuple[str, Work]]:
    """Works of which all is as the ledger says but the content keys."""
    asked = [work for work in works if isinstance(work, SourceWork) and _is_alike(work, known.get(work.key, []))]
    with ThreadPoolExecutor(READS_AT_ONCE) as pool:
        for work, digests in zip(asked, pool.map(_digests, asked), strict=True):
            if digests == {row["file"]: row["bytes_sha256"] for row in known[work.key]}:
                yield work.key, work


def _is_alike(work: SourceWork, rows: list[dict[str, Any]]) -> bool:
    """Same inputs and facts; every one was read to its end then."""
    if {row["file"] for row in rows} != {one.name for one in work.inputs}:
        return False
    return all(row["bytes_sha256"] is not None and row["facts"] == work.known["facts"] for row in rows)


def _digests(work: SourceWork) -> dict[str, str]:
    try:
        held = {file.name: file for file in work.read()}
    except InputMissing:  # gone since the inventory: nothing to say
        return {}
    return {one.name: digest([held[file.name] for file in one.files]) for one in work.inputs}


def _commit(journal: Journal, rows: pl.DataFrame, clean: dict[str, Work], module_id: str) -> None:
    """The ledger's rows of these works with the keys and places of now, in place of the old ones."""
    now = pl.DataFrame(
        [
            (key, one.name, where(one), content_key(one), work.identity)
            for key, work in clean.items()
            for one in work.inputs
        ],
        schema=dict.fromkeys(("work_key", "file", "uri", "content_key", "input_identity"), pl.String),
        orient="row",
    )
    changed = rows.drop("uri", "content_key", "input_identity").join(now, on=["work_key", "file"])
    table = changed.sort(FILES.sort).select(FILES.schema.names).to_arrow().cast(FILES.schema)
    part = write_ledger(journal.store, LEDGER, table, module_id)
    layout = delta.layout(FILES)
    change = replacement.change(journal.store, LEDGER, layout, module_id, [part], list(clean))
    journal.post("re-key", [change])
