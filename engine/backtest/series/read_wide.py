"""Series from clinical files in wide form, a column for each vital: one Parquet or CSV table of all patients, or a
folder or zip with a small file (.psv, .csv) for each, named after the patient."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from pathlib import PurePosixPath

import polars as pl

from engine.backtest.series.names import NO_VITAL, OURS, READINGS
from engine.backtest.series.read_long import Columns, readings, scan
from engine.backtest.series.readable import readable
from engine.errors import UserError
from engine.storage import Store, StoreOptions, split_uri

FILES_AT_ONCE = 500
_ENDINGS = {".psv": "|", ".csv": ",", ".tsv": "\t"}
SUBJECTS = ("subject_id", "pid", "Patient_ID", "patient_id", "RecordID")
TIMES = ("ICULOS", "ts")
"""What a table of all patients may call its columns of patients and of times, where nobody says."""


@dataclass(frozen=True, slots=True)
class WideColumns:
    """subject: a column, where one table has all patients. ts: column of times, numbers counting `unit`s. names:
    further names of vitals, theirs to ours, beside `names.OURS`; all other columns are left alone."""

    subject: str = "subject_id"
    ts: str = "ICULOS"
    unit: str = "h"
    names: Mapping[str, str] = field(default_factory=dict)


def read_wide(
    uri: str, columns: WideColumns | None = None, options: StoreOptions | None = None
) -> Iterator[pl.DataFrame]:
    """Frames of `names.READINGS`. uri: a .parquet or .csv, a .zip, or a folder. columns: None = by their names. A vital
    that was never measured in a patient is no series. Raises `UserError`: nothing there, or a file without a time or a
    vital, or one table where two columns may be the patient or the time."""
    if uri.endswith((".parquet", ".csv", ".tsv")):
        parent, _ = split_uri(uri)
        with readable(uri):
            rows = scan(uri, Store(parent, options).delta_options())
            yield from _measured(uri, rows, columns or recognised(uri, rows.collect_schema()))
        return
    columns = columns or WideColumns()
    files = _zipped(uri, options) if uri.endswith(".zip") else _folder(Store(uri, options))
    some = False
    for _, group in groupby(enumerate(files), key=lambda one: one[0] // FILES_AT_ONCE):
        frames = [_patient(f"{uri}/{name}", name, data, columns) for _, (name, data) in group]
        some = True
        yield from _measured(uri, pl.concat(frames, how="diagonal_relaxed").lazy(), columns)
    if not some:
        raise UserError(f"{uri}: no {', '.join(_ENDINGS)} file")


def is_wide(names: Iterable[str]) -> bool:
    """Whether a table's columns are vitals: some have names of ours, and none is the `value` of a long table."""
    return NO_VITAL not in names and any(name in OURS for name in names)


def recognised(where: str, names: Iterable[str]) -> WideColumns:
    """The columns of one table of all patients, by their names. Raises `UserError` unless each is exactly one."""
    return WideColumns(_one_of(where, names, "subject", SUBJECTS), _one_of(where, names, "ts", TIMES))


def _one_of(where: str, names: Iterable[str], key: str, known: tuple[str, ...]) -> str:
    found = [name for name in known if name in names]
    if len(found) == 1:
        return found[0]
    which = f"{' and '.join(found)} may each be it" if found else f"none is {', '.join(known)}"
    raise UserError(
        f"{where}: which column is the {key}? {which}; there are {', '.join(names)}: "
        f"say `kind: wide` and `columns: {{{key}: …}}`"
    )


def _measured(where: str, rows: pl.LazyFrame, columns: WideColumns) -> Iterator[pl.DataFrame]:
    schema = rows.collect_schema()
    missing = [name for name in (columns.subject, columns.ts) if name not in schema]
    if missing:
        raise UserError(f"{where}: no column {', '.join(missing)}; there are {', '.join(schema)}")
    vitals = _vitals(where, schema, columns)
    long = rows.unpivot(list(vitals), index=[columns.subject, columns.ts], variable_name="vital", value_name="value")
    mapped = Columns(columns.subject, "vital", columns.ts, "value", None, columns.unit, vitals)
    for frame in readings(where, long, mapped):
        given = pl.col("value").is_not_null() & pl.col("value").is_not_nan()
        kept = frame.filter(given.any().over("subject_id", "vital"))
        if len(kept):
            yield kept.cast(READINGS)


def _vitals(where: str, schema: pl.Schema, columns: WideColumns) -> dict[str, str]:
    known = OURS | dict(columns.names)
    vitals = {name: known[name] for name in schema if name in known}
    if not vitals:
        raise UserError(f"{where}: no column is a known vital; name some in `names`, such as HR: hr_bpm")
    if len(set(vitals.values())) < len(vitals):
        raise UserError(f"{where}: two columns are the same vital: {vitals}")
    return vitals


def _patient(where: str, name: str, data: bytes, columns: WideColumns) -> pl.DataFrame:
    path = PurePosixPath(name)
    separator = _ENDINGS[path.suffix]
    header = data.split(b"\n", 1)[0].decode("utf-8-sig", "replace").strip().split(separator)
    if columns.ts not in header:
        raise UserError(f"{where}: no column {columns.ts}; there are {', '.join(header)}")
    vitals = _vitals(where, pl.Schema(dict.fromkeys(header, pl.Float64())), columns)
    with readable(where):
        rows = pl.read_csv(
            io.BytesIO(data),
            separator=separator,
            columns=[columns.ts, *vitals],
            schema_overrides=dict.fromkeys(vitals, pl.Float64),
            null_values=["", "NA"],
        )
    return rows.with_columns(pl.lit(path.stem).alias(columns.subject))


def _zipped(uri: str, options: StoreOptions | None) -> Iterator[tuple[str, bytes]]:
    parent, name = split_uri(uri)
    try:
        with zipfile.ZipFile(io.BytesIO(Store(parent, options).read(name))) as archive:
            for member in _by_patient(archive.namelist()):
                yield member, archive.read(member)
    except zipfile.BadZipFile as error:
        raise UserError(f"{uri}: not a zip file: {error}") from error


def _folder(store: Store) -> Iterator[tuple[str, bytes]]:
    for path in _by_patient(entry.path for entry in store.list()):
        yield path, store.read(path)


def _by_patient(paths: Iterator[str] | list[str]) -> list[str]:
    files = sorted((PurePosixPath(path) for path in paths), key=lambda path: (path.stem, path))
    files = [path for path in files if path.suffix in _ENDINGS]
    for one, other in pairwise(files):
        if one.stem == other.stem:
            raise UserError(f"{one} and {other}: two files of one patient")
    return [str(path) for path in files]
