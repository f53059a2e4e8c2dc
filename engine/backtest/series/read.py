"""Series from wherever they lie: the one entry that a backtest uses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import polars as pl

from engine.backtest.series.clean import series_of
from engine.backtest.series.read_long import M4, Columns, read_long, scan
from engine.backtest.series.read_output import TABLE, read_output
from engine.backtest.series.read_wide import WideColumns, is_wide, read_wide
from engine.backtest.series.readable import readable
from engine.backtest.series.series import Series
from engine.errors import UserError
from engine.storage import Store, StoreOptions, split_uri
from engine.tables import delta


class Kind(StrEnum):
    """What lies at the URI."""

    AUTO = "auto"
    """A folder with a `vitals` table is an output, any other one and a zip are wide; a table is wide where columns are
    vitals and none is `value`, else long."""
    OUTPUT = "output"
    LONG = "long"
    WIDE = "wide"


@dataclass(frozen=True, slots=True)
class SeriesInput:
    """Where series come from. vitals: which of ours to take, all if empty. at_least_h: shorter series are left out, by
    the hours from the first row to the last. long, wide: the columns, None = the defaults. module_id: of an output,
    None = the newest finished run's. use_arrivals: whether a vital counts only from when its Source was received."""

    uri: str
    kind: Kind = Kind.AUTO
    vitals: tuple[str, ...] = ()
    at_least_h: int = 0
    long: Columns | None = None
    wide: WideColumns | None = None
    module_id: str | None = None
    use_arrivals: bool = True


def read(source: SeriesInput, options: StoreOptions | None = None) -> Iterator[Series]:
    """Series ordered by subject and vital, one bucket of subjects in memory at a time. Raises `UserError` with one
    sentence where nothing can be read, or nothing is left of it."""
    some = False
    for frame in _frames(source, options):
        for one in series_of(frame):
            if (not source.vitals or one.vital in source.vitals) and len(one.values) >= source.at_least_h:
                some = True
                yield one
    if not some:
        wanted = f" of {', '.join(source.vitals)}" if source.vitals else ""
        raise UserError(f"{source.uri}: no series{wanted} with at least {source.at_least_h} hours")


def _frames(source: SeriesInput, options: StoreOptions | None) -> Iterator[pl.DataFrame]:
    kind = kind_of(source, options) if source.kind is Kind.AUTO else source.kind
    if kind is Kind.OUTPUT:
        return read_output(Store(source.uri, options), source.module_id, source.use_arrivals)
    if kind is Kind.WIDE:
        return read_wide(source.uri, source.wide, options)
    return read_long(source.uri, source.long, Store(split_uri(source.uri)[0], options).delta_options())


def kind_of(source: SeriesInput, options: StoreOptions | None = None) -> Kind:
    """What lies at the URI of an input whose kind is `auto`."""
    if source.long or source.wide:
        return Kind.LONG if source.long else Kind.WIDE
    if not source.uri.endswith((".parquet", ".csv", ".csv.gz", ".tsv")):
        is_folder = not source.uri.endswith(".zip")
        is_output = is_folder and delta.open_table(Store(source.uri, options), TABLE) is not None
        return Kind.OUTPUT if is_output else Kind.WIDE
    with readable(source.uri):
        names = set(scan(source.uri, Store(split_uri(source.uri)[0], options).delta_options()).collect_schema())
    return Kind.WIDE if is_wide(names) and not {M4.ts, M4.value} <= names else Kind.LONG
