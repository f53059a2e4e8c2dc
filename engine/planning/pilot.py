"""The pilot: a few works of a plan, of all sizes, done behind the guard to see what the whole will take.

What it computes is thrown away: a pilot changes no output, and its works are done again by the run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace

import polars as pl

from engine.errors import UserError
from engine.plan import Plan
from engine.tables.parts import encode
from engine.work import Mapped, Work
from engine.workers.child import Limits
from engine.workers.failures import Result
from engine.workers.guards import lent_guard

STRATA = 8
WORKS = 32
LONGEST_S = 60.0
FEWEST = 3
"""Works that are measured even where the time is over."""


def fly(
    plan: Plan,
    mapped: Mapped,
    limits: Limits,
    longest_s: float = LONGEST_S,
    seen: Callable[[int], None] = lambda _: None,
) -> pl.DataFrame:
    """Measure up to 32 works of the plan, for about `longest_s`; `seen` is called with how many are done.

    Columns: size_bytes, seconds, peak_mb, output_bytes (compressed, as one part a table), cause and message (of a
    failure, or null), drawn (False for the largest work, which is there for its memory). Raises `UserError` where
    there is nothing to do, `InfrastructureError` where storage fails.
    """
    chosen = choose(plan)
    if chosen.is_empty():
        raise UserError("nothing is to do, so there is nothing to try")
    works = dict(zip(chosen["position"].sort(), replace(plan, todo=_only(plan, chosen)).works(), strict=True))
    held = Limits(min(limits.seconds, LONGEST_S), limits.memory_mb)
    measured, began = list[dict[str, object]](), time.monotonic()
    with lent_guard(mapped, held) as guard:
        for position, drawn in chosen.select("position", "drawn").iter_rows():
            if len(measured) >= FEWEST and time.monotonic() - began > longest_s:
                break
            if not measured:  # the first work of a process pays for what the others find warm
                _one(guard.evaluate([works[position]]))
            measured.append(_measured(works[position], _one(guard.evaluate([works[position]]))) | {"drawn": drawn})
            seen(len(measured))
    rows = pl.DataFrame(measured)
    return rows.with_columns(pl.col("cause", "message").cast(pl.String))


def choose(plan: Plan, most: int = WORKS) -> pl.DataFrame:
    """position, drawn: works in the order in which they are tried: the same number of each eighth by size, and the
    largest. The same plan gives the same works."""
    todo = plan.todo.select("position", "size_bytes").sort("size_bytes", "position")
    if todo.height <= most:
        return todo.select("position", drawn=pl.lit(True))
    stratum = (pl.int_range(pl.len()) * STRATA // pl.len()).alias("stratum")
    lots = todo.with_columns(stratum, lot=pl.col("position").hash(seed=1))
    ranked = lots.with_columns(turn=pl.col("lot").rank("ordinal").over("stratum"))
    picked = ranked.filter(pl.col("turn") <= most // STRATA).sort("turn", "stratum", descending=[False, True])
    largest = todo.tail(1).select("position", drawn=pl.lit(False))
    drawn = picked.select("position", drawn=pl.lit(True))
    return pl.concat([drawn.head(1), largest, drawn.tail(-1)]).unique("position", keep="last", maintain_order=True)


def _only(plan: Plan, chosen: pl.DataFrame) -> pl.DataFrame:
    return plan.todo.join(chosen, on="position", how="semi", maintain_order="left")


def _one(results: Iterable[Result]) -> Result:
    (result,) = results
    return result


def _measured(work: Work, result: Result) -> dict[str, object]:
    tables = {} if result.evaluation is None else result.evaluation.outcome.tables
    return {
        "size_bytes": sum(one.size_bytes for one in work.inputs),
        "seconds": result.seconds,
        "peak_mb": result.peak_memory_mb,
        "output_bytes": float(sum(len(encode(rows)) for rows in tables.values() if rows.num_rows)),
        "cause": result.failures[0].cause if result.failures else None,
        "message": result.failures[0].message if result.failures else None,
    }
