"""From the ledger of a reprocessing to units of work: ranges of persons, and what each depends on."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from functools import partial

import polars as pl

from engine import ledger
from engine.commit import LEDGER, WORK_LEDGER
from engine.identity import canonical_json
from engine.longitudinal.work import RangeWork
from engine.planning.todo import Todo, Unit, sort_out
from engine.storage import Store
from engine.tables.delta import LivePart
from engine.tables.overlap import live_parts, overlapping

NIGHTS = "nights"
PERSONS_A_WORK, MOST_PERSONS = 128, 256
"""On average, and at most. A year of 128 is 47,000 nights and 650,000 rows, 75 MB."""
NIGHT_S = 3e-5
"""Predicted cost of a night."""
GAVE_ROWS = ("ok", "partial")
_DIGITS, _WORDS = 12, 3
"""Sums of 48-bit numbers are exact for 32,768 files a person."""


def plan(output: Store, nights_id: str, module_id: str, retry: Collection[str] = ()) -> Todo:
    """What is to do of the step `module_id` over the nights of `nights_id`."""
    persons = subjects(ledger.scan(output, nights_id, LEDGER))
    parts = live_parts(output, NIGHTS, nights_id)
    known = ledger.entries(output, module_id, WORK_LEDGER)
    ranges = list(cut(persons))
    # While the borders of ranges stay, each replaces its own rows. Else persons may change their range, and all earlier
    # rows that go do so together: no reader may see a night twice.
    settled = {key for key, _ in ranges} == set(known["work_key"])
    units = (_unit(output, parts, key, rows, key if settled else "") for key, rows in ranges)
    return sort_out(units, known, retry, (lambda key: key) if settled else (lambda _: ""))


def subjects(rows: pl.LazyFrame) -> pl.DataFrame:
    """subject_id, files and a digest of the identities of what gave rows, by subject_id; of a whole ledger, streaming.

    The digest adds up pieces of SHA-256s, so that it depends neither on order nor on how many there are in memory.
    """
    words = {
        f"digest{i}": pl.col("input_identity").str.slice(i * _DIGITS, _DIGITS).str.to_integer(base=16, dtype=pl.Int64)
        for i in range(_WORDS)
    }
    held = rows.filter(pl.col("status").is_in(GAVE_ROWS), pl.col("subject_id").is_not_null())
    sums = (word.sum().alias(name) for name, word in words.items())
    return (
        held.group_by("subject_id").agg(pl.len().alias("files"), *sums).collect(engine="streaming").sort("subject_id")
    )


def cut(persons: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """Ranges with their keys. A person's own name decides whether a range begins with it, so that a new person changes
    one range or few, not all that follow. The key tells the name to nobody: it outlives an erasure."""
    first, key = 0, "first"
    for at, name in enumerate(persons["subject_id"]):
        digest = hashlib.sha256(name.encode()).hexdigest()
        if int(digest[:8], 16) % PERSONS_A_WORK == 0 or at - first == MOST_PERSONS:
            if at > first:
                yield key, persons[first:at]
            first, key = at, digest[:16]
    if persons.height > first:
        yield key, persons[first:]


def _unit(output: Store, parts: Sequence[LivePart], key: str, rows: pl.DataFrame, group: str) -> Unit:
    identity = hashlib.sha256(canonical_json(rows.rows()).encode()).hexdigest()
    predicted_s = float(rows["files"].sum()) * NIGHT_S
    ends = (str(rows["subject_id"][0]), str(rows["subject_id"][-1]))
    return Unit(key, identity, group, predicted_s, partial(_work, output, parts, key, identity, predicted_s, ends))


def _work(
    output: Store, parts: Sequence[LivePart], key: str, identity: str, predicted_s: float, ends: tuple[str, str]
) -> RangeWork:
    return RangeWork(key, identity, predicted_s, ends, overlapping(output, parts, *ends), output.options)
