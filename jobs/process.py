"""`nightmill process`: the module on a few files, in this process, as production would call it."""

from __future__ import annotations

import itertools
import json
import socket
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click
import polars as pl
import pyarrow as pa
import pyarrow.parquet
from rich.console import Console

from engine.errors import ConfigError
from engine.guard import InlineGuard
from engine.inventory import take_files
from engine.load import ModuleRef, refer
from engine.module import Table
from engine.plan import everything
from engine.running.fates import ledger
from engine.schemas import BAD
from engine.storage import Store, StoreOptions, split_uri
from engine.task import sort_rows
from engine.workers.failures import Result
from jobs import exits
from jobs.opened import storage_options, store_options
from jobs.options import as_json, module_options, taking
from jobs.options import parameters as parse
from jobs.show import count, draw, units

HEAD, MANY = 8, 24
"""Rows shown of a table of more than MANY; the middle of a night says more than its first minutes."""
DIAGNOSED = "engine.night.diagnostics:Diagnosed"


@click.command(
    epilog="""\b
Examples:
  nightmill process raw/P01/1774645200_A7B3C1.zip --zone Europe/Zurich
  nightmill process raw/P0*/*.zip --root raw --zone Europe/Zurich
  nightmill process a.zip b.zip --subject P01 --night 2026-03-27 -o one-night
  nightmill process a.zip --diagnostics -o one-night
"""
)
@click.argument("files", nargs=-1, required=True)
@click.option(
    "--root", metavar="DIR", help="Names count from here, as in a reprocessing of DIR [the folder of all FILES]."
)
@click.option("--subject", metavar="ID", help="Subject of all these files [from their names].")
@click.option("--zone", metavar="IANA", help="Time zone of the files, such as Europe/Zurich.")
@click.option(
    "--night", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="Date of the night's evening [from the names]."
)
@click.option("--device", "device_offset_s", type=int, metavar="SECONDS", help="Offset of the device's clock from UTC.")
@click.option("--subjects", metavar="TABLE", help="CSV or Parquet: subject_id, zone, received_at, …")
@click.option("--calibrations", metavar="TABLE", help="Of the subjects' devices, see `nightmill calibrate`.")
@click.option("--template", metavar="PATTERN", help="Where subject and start stand in a file's name.")
@click.option("--diagnostics", is_flag=True, help="Two more tables: shape of the pulse every 10 s, pNN20 and pNN50.")
@click.option("-o", "--output", type=click.Path(file_okay=False, path_type=Path), help="Write OUTPUT/<table>.parquet.")
@taking(*module_options, *storage_options)
@as_json
def command(
    files: tuple[str, ...], ref: str | None, parameters: tuple[str, ...], night: datetime | None, **flags: Any
) -> int:
    """Run the module on FILES, grouped into nights as a reprocessing would, and show its tables.

    The rows equal those of `nightmill reprocess` over the same files, bit for bit.
    """
    if flags["diagnostics"] and ref is not None:
        raise ConfigError(f"--diagnostics are those of the night module, not of {ref}")
    mapped, _ = refer(DIAGNOSED if flags["diagnostics"] else ref or "night", parse(parameters))
    about = {
        name: flags[name]
        for name in ("root", "subject", "zone", "device_offset_s", "subjects", "calibrations", "template")
    }
    results = evaluate(mapped, files, store_options(flags), night=night.date() if night else None, **about)
    outputs = dict(mapped.outputs(mapped.load()))
    tables = {name: joined(name, table, results) for name, table in outputs.items()}
    told = verdicts(results)
    if flags["output"] is not None:
        write(flags["output"], tables)
    if flags["as_json"]:
        click.echo(json.dumps({"files": told.to_dicts(), "rows": {name: t.num_rows for name, t in tables.items()}}))
    else:
        show(Console(), told, tables, outputs, flags["output"])
    bad = told["status"].is_in(BAD).any()
    return exits.BAD_FILES if bad else exits.FINISHED


def evaluate(
    mapped: ModuleRef, files: Sequence[str], reached: StoreOptions, *, night: date | None, **about: Any
) -> list[Result]:
    """Groups the files into Sources and evaluates each, in the order of a plan that knows nothing yet."""
    root = about.pop("root") or _folder_of(files, reached)
    inventory = take_files(files, reached, night=night, root=root, **about)
    return list(InlineGuard(mapped).evaluate(list(everything(inventory, reached).works())))


def _folder_of(files: Sequence[str], reached: StoreOptions) -> str:
    """The deepest folder that holds all of the files: with several subjects' folders, the one above them."""
    parents = [split_uri(Store(file, reached).uri)[0].split("/") for file in files]
    shared = [
        steps[0] for steps in itertools.takewhile(lambda steps: len(set(steps)) == 1, zip(*parents, strict=False))
    ]
    return "/".join(shared) or "/"


def joined(name: str, table: Table, results: Sequence[Result]) -> pa.Table:
    """One table over all Sources, in the table's order; empty where no Source gave rows."""
    given = [r.evaluation.outcome.tables[name] for r in results if r.evaluation and name in r.evaluation.outcome.tables]
    return sort_rows(pa.concat_tables([table.schema.empty_table(), *given]), table)


def verdicts(results: Sequence[Result]) -> pl.DataFrame:
    """What the ledger would say: one row an input."""
    entries = pl.read_ipc_stream(ledger(results, socket.gethostname(), 1))
    return entries.select("source_id", "file", "status", "cause", "reasons", "message").sort("source_id", "file")


def write(folder: Path, tables: dict[str, pa.Table]) -> None:
    """One Parquet file a table, with the columns' units and meanings in the schema."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        pa.parquet.write_table(rows, folder / f"{name}.parquet", compression="zstd")


def show(
    console: Console, told: pl.DataFrame, tables: dict[str, pa.Table], outputs: dict[str, Table], folder: Path | None
) -> None:
    unit = units(outputs)
    draw(console, told, "files", {}, 200)
    for name, rows in sorted(tables.items(), key=lambda item: item[1].num_rows):
        frame = pl.DataFrame(pl.from_arrow(rows))
        middle = (frame.height - HEAD) // 2 if frame.height > MANY else 0
        title = f"{name}: {count(frame.height, 'row')}" + (", some from the middle" if middle else "")
        draw(console, frame.slice(middle, HEAD) if middle else frame, title, unit, MANY)
    if folder is not None:
        console.print(f"written    {', '.join(f'{folder}/{name}.parquet' for name in tables)}", soft_wrap=True)
