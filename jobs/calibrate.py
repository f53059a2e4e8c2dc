"""`nightmill calibrate`: the accelerometers' gains and offsets from the still windows of many nights."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import click
import polars as pl
from rich.console import Console

from engine.errors import UserError
from engine.night.signals.calibration import coefficients
from engine.night.versions import LEAST_NIGHTS, of_device
from engine.results.open import newest, scan, tables
from engine.storage import Store, StoreOptions, split_uri
from jobs.opened import opened, storage_options
from jobs.options import as_json, taking
from jobs.show import count, draw

WINDOWS = "still_windows"
AXES_G = ("x_g", "y_g", "z_g")
VERSIONS: dict[str, Any] = {
    "subject_id": pl.String,
    "device": pl.String,
    "valid_from": pl.Datetime("us", "UTC"),
    "cal_id": pl.String,
    "coefficients": pl.String,
    "nights": pl.Int64,
    "windows": pl.Int64,
    "start_error_mg": pl.Float64,
    "end_error_mg": pl.Float64,
}


@click.command(
    epilog="""\b
Examples:
  nightmill calibrate out calibrations.parquet
  nightmill reprocess raw/ -o out --calibrations calibrations.parquet

Only nights whose coefficients changed run again.
"""
)
@click.argument("output")
@click.argument("table")
@taking(*storage_options)
@as_json
def command(output: str, table: str, as_json: bool, **flags: str | None) -> int:
    """Estimate each accelerometer's gain and offset from its nights in OUTPUT, and write them to TABLE.

    TABLE is CSV or Parquet, made anew each time. A version looks back at 7 to 30 nights of its device and is in force
    from the night after them; a next one is due 7 nights later. It counts if the error ends below 10 mg and below where
    it began. A recording of 72 h or more calibrates itself. To use a device's first version for its earlier nights too,
    empty its `valid_from`.
    """
    store = opened(output, flags)
    windows = _windows(store)
    made = versions(windows)
    _write(table, made, store.options)
    told = by_device(windows, made)
    if as_json:
        click.echo(json.dumps({"versions": made.height, "devices": told.to_dicts()}))
        return 0
    console = Console()
    draw(console, told, "accelerometers", {"start_error_mg": "mg", "end_error_mg": "mg"})
    console.print(f"{count(made.height, 'row')} in {table}", soft_wrap=True)
    if made.height:
        console.print(f"next       nightmill reprocess … -o {output} --calibrations {table}", soft_wrap=True)
    return 0


def _windows(store: Store) -> pl.DataFrame:
    if WINDOWS not in tables(store):
        raise UserError(f"{store.uri}: no table {WINDOWS}; a reprocessing with the module `night` makes one")
    return scan(store, WINDOWS, newest(store)).collect()


def versions(windows: pl.DataFrame) -> pl.DataFrame:
    """Columns of `VERSIONS`, from rows of `still_windows`: of each device a row for each person who wore it."""
    return pl.DataFrame(list(_rows(windows)), schema=VERSIONS, orient="row").sort("subject_id", "device", "valid_from")


def _rows(windows: pl.DataFrame) -> Iterator[tuple[Any, ...]]:
    ordered = windows.sort("device", "night_date", "ts", "source_id")
    for (device,), own in ordered.partition_by("device", as_dict=True, maintain_order=True).items():
        night, ts_us = own["night_date"].to_physical().to_numpy(), own["ts"].dt.timestamp("us").to_numpy()
        for version in of_device(night, ts_us, own.select(AXES_G).to_numpy()):
            done = version.fit
            told = (done.correction.cal_id, coefficients(done.correction), version.nights, done.n)
            for subject_id in own["subject_id"].unique().sort():
                yield subject_id, device, version.valid_from_us, *told, done.start_error_mg, done.end_error_mg


def by_device(windows: pl.DataFrame, made: pl.DataFrame) -> pl.DataFrame:
    """One row a device: nights, windows, accepted versions, the errors of the last one, and why there is none."""
    seen = windows.group_by("device").agg(nights=pl.col("night_date").n_unique(), windows=pl.len())
    last = (
        made.unique(["device", "valid_from"])
        .sort("valid_from")
        .group_by("device")
        .agg(versions=pl.len(), **{name: pl.col(name).last() for name in ("start_error_mg", "end_error_mg")})
    )
    few = pl.when(pl.col("nights") < LEAST_NIGHTS).then(pl.lit(f"fewer than {LEAST_NIGHTS} nights"))
    why = few.otherwise(pl.lit("too few directions, or no better than before"))
    joined = seen.join(last, on="device", how="left").with_columns(pl.col("versions").fill_null(0))
    return joined.with_columns(why=pl.when(pl.col("versions") == 0).then(why)).sort("device")


def _write(table: str, made: pl.DataFrame, reached: StoreOptions) -> None:
    folder, name = split_uri(table)
    if name.lower().endswith(".parquet"):
        sink = io.BytesIO()
        made.write_parquet(sink)
        data = sink.getvalue()
    elif name.lower().endswith(".csv"):
        data = made.write_csv().encode()
    else:
        raise UserError(f"{table}: a table ends with .parquet or .csv")
    Store(folder, reached).write(name, data)
