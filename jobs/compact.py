"""`nightmill compact`: many small parts become few large ones, with the same rows."""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime

import click

from engine.commit import Journal, recover
from engine.compact import Sizes, compact
from engine.events import Compacted, Event
from engine.results.open import tables
from engine.running.record import refuse_if_running
from jobs.opened import opened, storage_options
from jobs.options import as_json, taking

GROUP_ROWS = 4_000_000


@click.command(
    epilog="""\b
Examples:
  nightmill compact out
  nightmill compact out --part-mb 256
"""
)
@click.argument("output")
@click.option("--part-mb", default=128, show_default=True, help="Size to aim at.")
@taking(*storage_options)
@as_json
def command(output: str, part_mb: int, as_json: bool, **flags: str | None) -> int:
    """Rewrite the small parts of OUTPUT as few large sorted ones. Runs do so by themselves at their end.

    Rows stay the same, proven by a digest; readers see the old parts or the new ones, never both.
    """
    store = opened(output, flags)
    refuse_if_running(store)
    done: list[Compacted] = []

    def note(event: Event) -> None:
        if isinstance(event, Compacted):
            done.append(event)

    started = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    journal = Journal(store, f"compact-{started}", socket.gethostname(), recover(store))
    part_bytes = part_mb * 2**20
    compact(journal, tables(store), note, Sizes(part_bytes, 2 * part_bytes, GROUP_ROWS, part_bytes))
    if as_json:
        click.echo(json.dumps([{"table": e.table, "before": e.parts_before, "after": e.parts_after} for e in done]))
        return 0
    for event in done:
        click.echo(f"{event.table}: {event.parts_before} parts became {event.parts_after}")
    if not done:
        click.echo("nothing to compact")
    return 0
