"""The inventory: which inputs there are and which Sources they form, from listings alone; no file is opened."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from itertools import accumulate, pairwise

import polars as pl

from engine.errors import UserError
from engine.inputs import grouping
from engine.inputs.assemble import CHUNK_ROWS, FILE_COLUMNS, InputSpec, assemble, pack
from engine.inputs.listing import IGNORED, SAID, Listing, list_files, list_input
from engine.inputs.sample import drawn
from engine.storage import Store, StoreOptions, split_uri

__all__ = ["Counts", "InputSpec", "Inventory", "take", "take_files"]


@dataclass(frozen=True, slots=True)
class Counts:
    """How many there are of each; `inputs` are files, or folders of files."""

    inputs: int
    sources: int
    subjects: int
    size_bytes: int


@dataclass(frozen=True)
class Inventory:
    """One row a raw file with what is known of its input, as Parquet: 5 million rows take about 0.3 GB of memory.

    Columns of a row: source_id, input (unique name), file, uri, size_bytes, content_key, subject_id, start, night_hint,
    zone, device_offset_s, received_at, calibrations. `chunks` hold whole Sources in the plan's order: by month of the
    night hint, subject, night and source_id; a Source's position counts in this order from 0. `ignored` has the other
    objects and why. `frame`, `files`, `inputs` and `sources` hold all rows at once: for small inventories and for
    people.
    """

    chunks: tuple[bytes, ...] = field(repr=False)
    ignored: pl.DataFrame

    def frames(self) -> Iterator[pl.DataFrame]:
        """The rows, chunk by chunk, with the position of their Source."""
        start = 0
        for chunk in self.chunks:
            rows = pl.read_parquet(chunk)
            rows = rows.with_columns(position=pl.lit(start, pl.UInt32) + pl.col("source_id").rle_id())
            yield rows
            start = int(rows["position"][-1]) + 1 if rows.height else start

    def at(self, positions: pl.Series) -> Iterator[pl.DataFrame]:
        """As `frames`, of the Sources at these (ascending) positions only."""
        for chunk, (start, stop) in zip(self.chunks, pairwise(self._starts), strict=True):
            first, last = positions.search_sorted(start), positions.search_sorted(stop)
            if first == last:
                continue
            rows = pl.read_parquet(chunk)
            rows = rows.with_columns(position=pl.lit(start, pl.UInt32) + pl.col("source_id").rle_id())
            some = last - first < stop - start
            yield rows.filter(pl.col("position").is_in(positions[first:last].implode())) if some else rows

    @cached_property
    def counts(self) -> Counts:
        seen = pl.concat([_counted(rows) for rows in self.frames()])
        subjects = seen["subjects"].explode().drop_nulls().n_unique()
        return Counts(int(seen["inputs"].sum()), int(seen["sources"].sum()), subjects, int(seen["bytes"].sum()))

    @cached_property
    def _starts(self) -> list[int]:
        """The position of each chunk's first Source, and of the one after the last."""
        lengths = [pl.read_parquet(chunk, columns=["source_id"])["source_id"].rle_id() for chunk in self.chunks]
        return [0, *accumulate(int(ids[-1]) + 1 if len(ids) else 0 for ids in lengths)]

    @cached_property
    def frame(self) -> pl.DataFrame:
        return pl.concat(list(self.frames())).drop("position")

    @cached_property
    def files(self) -> pl.DataFrame:
        """One row a raw file: source_id, input, file, uri, size_bytes, content_key; sorted by source_id and file."""
        return self.frame.select(FILE_COLUMNS).sort("source_id", "file")

    @cached_property
    def inputs(self) -> pl.DataFrame:
        """One row an input, which is a file or a folder of files: its facts, uri, content_key, size_bytes, files."""
        return grouping.inputs(self.frame).sort("input")

    @cached_property
    def sources(self) -> pl.DataFrame:
        """One row a Source: source_id, subject_id, zone, …, inputs, files (counts), size_bytes, identity."""
        return grouping.sources(self.frame).sort("source_id")

    @property
    def size_bytes(self) -> int:
        return self.counts.size_bytes

    def sampled(self, share: float) -> Inventory:
        """The Sources of some subjects, the same ones every time: see `engine.inputs.sample`."""
        kept = [rows.filter(drawn(rows["subject_id"], share)).drop("position") for rows in self.frames()]
        some = [rows for rows in kept if rows.height] or kept[:1]
        return Inventory(tuple(pack(rows) for rows in some), self.ignored)

    def to_parquet(self) -> bytes:
        """Everything, as one Parquet file; ignored objects are the rows with a `why`."""
        buffer = io.BytesIO()
        rows = [pl.scan_parquet(chunk) for chunk in self.chunks]
        pl.concat([*rows, self.ignored.lazy()], how="diagonal").sink_parquet(buffer)
        return buffer.getvalue()

    @classmethod
    def from_parquet(cls, data: bytes) -> Inventory:
        rows = pl.scan_parquet(data)
        if "calibrations" not in rows.collect_schema():
            rows = rows.with_columns(calibrations=pl.lit(None, pl.String))
        ignored = rows.filter(pl.col("why").is_not_null()).select(*IGNORED).collect()
        ids = rows.filter(pl.col("why").is_null()).select(pl.col("source_id").rle_id()).collect().to_series()
        cuts = [0, *(int(ids.search_sorted(ids[at])) for at in range(CHUNK_ROWS, len(ids), CHUNK_ROWS)), len(ids)]
        edges = list(dict.fromkeys(cuts)) if len(ids) else [0, 0]
        parts = (rows.slice(start, stop - start).drop("why").collect() for start, stop in pairwise(edges))
        return cls(tuple(pack(part) for part in parts), ignored)


def _counted(rows: pl.DataFrame) -> pl.DataFrame:
    """One row: inputs, sources, bytes, and the subjects' hashes."""
    parts = pl.col("input").filter(pl.col("input") != pl.col("file"))
    return rows.select(
        inputs=pl.len() - parts.len() + parts.n_unique(),
        sources=pl.col("position").n_unique(),
        bytes=pl.col("size_bytes").sum(),
        subjects=pl.col("subject_id").hash().unique().implode(),
    )


def take(specs: Sequence[InputSpec], options: StoreOptions) -> Inventory:
    """List the inputs and group what they hold. Raises `UserError` for an input, table or template that is no good."""
    if not specs:
        raise UserError("no input is given: name a folder, an S3 prefix or a manifest")
    return Inventory(*assemble([(spec, list_input(spec.uri, options)) for spec in specs], options))


def take_files(
    uris: Iterable[str],
    options: StoreOptions,
    *,
    root: str | None = None,
    subject: str | None = None,
    zone: str | None = None,
    night: date | None = None,
    device_offset_s: int | None = None,
    received_at: datetime | None = None,
    subjects: str | None = None,
    template: str | None = None,
    calibrations: str | None = None,
) -> Inventory:
    """Files (or E4 folders) named one by one, grouped as `take` would where subject and zone agree.

    Names are relative to `root`, by default each file's parent folder. Raises `UserError` for a file that is not there.
    """
    named = [Store(uri, options).uri for uri in dict.fromkeys(uris)]
    if not named:
        raise UserError("no file is given")
    above = {uri: root or split_uri(uri)[0] for uri in named}
    said = {"subject_id": subject, "night": night, "received_at": received_at}
    listed = []
    for top in dict.fromkeys(above.values()):
        listing = list_files([uri for uri in named if above[uri] == top], options, top)
        given = [pl.lit(value).cast(SAID[name]).alias(name) for name, value in said.items()]
        spec = InputSpec(top, template, zone, device_offset_s, subjects, calibrations=calibrations)
        listed.append((spec, Listing(listing.root, listing.files.with_columns(given), listing.ignored, chosen=True)))
    return Inventory(*assemble(listed, options))
