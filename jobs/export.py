"""`nightmill export`: raw files of any device as files of the neutral format."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import click
import polars as pl
from rich.console import Console

from engine.errors import UserError
from engine.events import BatchFinished, Listener, PlanMade
from engine.inputs.sources import read_file
from engine.inventory import InputSpec, Inventory, take
from engine.module import RawFile
from engine.night.formats.export import ENDING, Nrf, export
from engine.night.night import Night
from engine.night.recording import Unreadable
from engine.storage import Store
from jobs import exits
from jobs.opened import storage_options, store_options
from jobs.options import as_json, taking
from jobs.progress import RunProgress
from jobs.show import count, draw, size

EXPORTED, UNCHANGED, TAKEN, REFUSED = "exported", "unchanged", "taken", "refused"
SCHEMA = {"input": pl.String, "status": pl.String, "file": pl.String, "size_bytes": pl.Int64, "why": pl.String}
SHOWN = 40


@click.command(
    epilog="""\b
Examples:
  nightmill export raw/ --to nrf
  nightmill export raw/P01/6012345.cwa raw/P02 --to s3://bucket/nrf

A recording is named as its input with .nrf.parquet behind: raw/P01/a.zip becomes nrf/P01/a.zip.nrf.parquet, a folder
of E4 files raw/P01/s nrf/P01/s.nrf.parquet. The second recording of one zip ends in -2.nrf.parquet; the many files of
a device's night become one, named as the first. A file says of subject and zone what the original says, so give --zone
and the like again when you reprocess.
"""
    + exits.MEANING
)
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option("--to", required=True, metavar="OUT", help="Folder or s3:// prefix of the NRF files.")
@click.option("--include", metavar="GLOB", multiple=True, help="Candidates; other objects are ignored.")
@click.option("--force", is_flag=True, help="Replace files that are there with other bytes.")
@taking(*storage_options)
@as_json
def command(
    inputs: tuple[str, ...], to: str, include: tuple[str, ...], force: bool, as_json: bool, **flags: Any
) -> int:
    """Write each recording below INPUT as one NRF Parquet file, which reprocesses to the same tables.

    Inputs are found as by `nightmill reprocess`. What cannot be read is refused and says why; nothing is overwritten.
    """
    console = Console(stderr=as_json)
    reached = store_options(flags)
    target = Store(to, reached)
    for uri in inputs:
        if f"{target.uri}/".startswith(f"{Store(uri, reached).uri}/"):
            raise UserError(f"--to {to}: lies in the input {uri}, whose next run would take the files for raw ones")
    inventory = take([InputSpec(uri, include=include) for uri in inputs], reached)
    with RunProgress(console) as progress:
        rows = list(carry_out(inventory, target, force, progress))
    told = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    if as_json:
        click.echo(json.dumps(told.to_dicts()))
    else:
        show(console, told, inventory, to)
    taken = told.filter(pl.col("status") == TAKEN)
    if taken.height:
        files = count(taken.height, "file is", "files are")
        raise UserError(f"{files} there with other bytes, such as {taken['file'][0]}; --force replaces them")
    return exits.FINISHED


Row = tuple[str, str, str | None, int | None, str]


def carry_out(inventory: Inventory, target: Store, force: bool, listener: Listener) -> Iterator[Row]:
    """One row an input and recording, or an input that gave none; the columns of `SCHEMA`."""
    held, limit_mb = inventory.counts, Night().max_unpacked_mb
    listener(PlanMade(held.sources, held.inputs, held.size_bytes, 0))
    for rows in inventory.frames():
        for source in rows.sort("position", "file").partition_by("position", maintain_order=True):
            files = [RawFile(name, read_file(uri, target.options)) for name, uri in source["file", "uri"].iter_rows()]
            told = [row for made in export(files, limit_mb) for row in _written(made, target, force)]
            yield from told
            statuses = Counter(status for _, status, *_ in told)
            listener(BatchFinished(source["input"].n_unique(), sum(source["size_bytes"]), 0.0, statuses, {}))


def _written(made: Nrf | Unreadable, target: Store, force: bool) -> Iterator[Row]:
    if isinstance(made, Unreadable):
        yield made.file, REFUSED, None, None, made.message
        return
    status = _put(target, made, force)
    for file in made.files:
        yield file, status, made.name, len(made.data), " ".join(made.codes)


def _put(target: Store, made: Nrf, force: bool) -> str:
    """Whole or not at all; a file with other bytes stays unless `force`."""
    if target.put_if_absent(made.name, made.data):
        return EXPORTED
    if target.read(made.name) == made.data:
        return UNCHANGED
    if not force:
        return TAKEN
    target.write(made.name, made.data)
    return EXPORTED


def show(console: Console, told: pl.DataFrame, inventory: Inventory, to: str) -> None:
    """What was not exported first; then what was, by the name that it has now, without its ending."""
    order = pl.Enum([TAKEN, REFUSED, EXPORTED, UNCHANGED])
    sized = pl.col("size_bytes").map_elements(size, pl.String).alias("size")
    once = told.with_columns(pl.coalesce("file", "input")).unique("file", maintain_order=True)
    listed = once.sort(pl.col("status").cast(order), "file")
    draw(console, listed.select(pl.col("file").str.strip_suffix(ENDING), "status", sized, "why"), "files", {}, SHOWN)
    counts = listed.group_by("status").len().sort(pl.col("status").cast(order))
    console.print(" · ".join(f"{n:,} {status}" for status, n in counts.iter_rows()) or "nothing")
    ignored = count(inventory.ignored.height, "other object")
    console.print(f"output     {to}, names end in {ENDING} · {ignored} ignored", soft_wrap=True)
