"""The inventory: which inputs there are and which Sources they form, from listings alone; no file is opened."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

import polars as pl

from engine import grouping
from engine.errors import UserError
from engine.facts import SUBJECTS, check_zones, read_subjects, with_subjects
from engine.listing import IGNORED, Listing, candidates, list_files, list_input
from engine.storage import StoreOptions, open_store, split_uri
from engine.template import compile_template, read_names

FILE_COLUMNS = ("source_id", "input", "file", "uri", "size_bytes", "content_key")
FACT_COLUMNS = ("source_id", "subject_id", "start", "night_hint", "zone", "device_offset_s", "received_at")


@dataclass(frozen=True, slots=True)
class InputSpec:
    """Where raw files lie and what is known of all of them.

    `uri` is a folder, an S3 prefix, one file, or a manifest (CSV or Parquet with a column uri). `template` says where a
    name holds subject and start (see `engine.template`); `include` are patterns of candidates. `subjects` is the URI of
    a table of subject_id, zone, valid_from, device_offset_s and received_at.
    """

    uri: str
    template: str | None = None
    zone: str | None = None
    device_offset_s: int | None = None
    subjects: str | None = None
    include: tuple[str, ...] = ()


@dataclass(frozen=True)
class Inventory:
    """`frame` has one row a raw file with what is known of its input; `ignored` the other objects and why.

    `frame`: source_id, input (unique name), file, uri, size_bytes, content_key, subject_id, start, night_hint, zone,
    device_offset_s, received_at.
    """

    frame: pl.DataFrame
    ignored: pl.DataFrame

    @cached_property
    def files(self) -> pl.DataFrame:
        """One row a raw file: source_id, input, file, uri, size_bytes, content_key; sorted by source_id and file."""
        return self.frame.select(FILE_COLUMNS).sort("source_id", "file")

    @cached_property
    def inputs(self) -> pl.DataFrame:
        """One row an input, which is a file or a folder of files: its facts, uri, content_key, size_bytes, files."""
        return grouping.inputs(self.files, self.frame.select("input", *FACT_COLUMNS).unique("input"))

    @cached_property
    def sources(self) -> pl.DataFrame:
        """One row a Source: source_id, subject_id, zone, …, inputs, files (counts), size_bytes, identity."""
        return grouping.sources(self.inputs, self.files)

    @property
    def size_bytes(self) -> int:
        return int(self.frame["size_bytes"].sum())

    def to_parquet(self) -> bytes:
        """Everything, as one Parquet file; ignored objects are the rows with a `why`."""
        buffer = io.BytesIO()
        pl.concat([self.frame, self.ignored], how="diagonal").write_parquet(buffer)
        return buffer.getvalue()

    @classmethod
    def from_parquet(cls, data: bytes) -> Inventory:
        rows = pl.read_parquet(io.BytesIO(data))
        kept, ignored = rows.filter(pl.col("why").is_null()), rows.filter(pl.col("why").is_not_null())
        return cls(kept.drop("why"), ignored.select(*IGNORED))


def take(specs: Sequence[InputSpec], options: StoreOptions) -> Inventory:
    """List the inputs and group what they hold. Raises `UserError` for an input, table or template that is no good."""
    if not specs:
        raise UserError("no input is given: name a folder, an S3 prefix or a manifest")
    return _assemble([(spec, list_input(spec.uri, options)) for spec in specs], options)


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
) -> Inventory:
    """Files (or E4 folders) named one by one, grouped as `take` would where subject and zone agree.

    Names are relative to `root`, by default each file's parent folder. Raises `UserError` for a file that is not there.
    """
    named = [open_store(uri, options).uri for uri in dict.fromkeys(uris)]
    if not named:
        raise UserError("no file is given")
    above = {uri: root or split_uri(uri)[0] for uri in named}
    said = {"subject_id": subject, "night": night, "received_at": received_at}
    listed = []
    for top in dict.fromkeys(above.values()):
        listing = list_files([uri for uri in named if above[uri] == top], options, top)
        given = [pl.lit(value).cast(listing.files.schema[name]).alias(name) for name, value in said.items()]
        spec = InputSpec(top, template, zone, device_offset_s, subjects)
        listed.append((spec, Listing(listing.root, listing.files.with_columns(given), listing.ignored, chosen=True)))
    return _assemble(listed, options)


def _assemble(listed: Sequence[tuple[InputSpec, Listing]], options: StoreOptions) -> Inventory:
    read = [_read(spec, listing, options) for spec, listing in listed]
    rows = pl.concat([kept.with_columns(listing=pl.lit(number)) for number, (kept, _) in enumerate(read)])
    again = pl.col("uri").is_duplicated() & ~pl.col("uri").is_first_distinct()
    ignored = [listing.ignored for _, listing in listed] + [frame for _, frame in read]
    ignored.append(rows.filter(again).select("uri", "size_bytes", why=pl.lit("an earlier input has it")))
    rows = _named_apart(rows.filter(~again), [listing.root for _, listing in listed])
    grouped = grouping.source_ids(grouping.night_hints(rows))
    return Inventory(grouped.select(*FILE_COLUMNS, *FACT_COLUMNS[1:]), pl.concat(ignored).select(*IGNORED))


def _read(spec: InputSpec, listing: Listing, options: StoreOptions) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The candidates of one input with what is known of them, and what is ignored."""
    check_zones(pl.Series([spec.zone], dtype=pl.String), spec.uri)
    template = compile_template(spec.template) if spec.template else None
    rows = candidates(listing, spec.include).rename({"path": "listed", "start": "said_start", "night": "said_night"})
    rows = read_names(rows.with_columns(path="input"), template)
    table = open_store(spec.subjects, options).uri if spec.subjects else ""
    off_template = ~pl.col("matched") & pl.col("subject_id").is_null()
    rows = rows.with_columns(
        why=pl.when(pl.col("uri") == table)
        .then(pl.lit("the subjects table"))
        .when(pl.col("why").is_null() & off_template)
        .then(pl.lit("the template does not match it"))
        .otherwise("why")
    )
    kept, ignored = rows.filter(pl.col("why").is_null()), rows.filter(pl.col("why").is_not_null())
    if kept.is_empty():
        first = ignored.row(0, named=True)
        raise UserError(
            f"{spec.uri}: none of its {ignored.height} files is a candidate; {first['listed']!r}: {first['why']}. "
            "Set `include` or `template`"
        )
    return _with_facts(kept, spec, options), ignored.select(*IGNORED)


def _with_facts(rows: pl.DataFrame, spec: InputSpec, options: StoreOptions) -> pl.DataFrame:
    """What a manifest says goes before what the name says, then the subjects table, then the whole input."""
    rows = rows.with_columns(
        subject_id=pl.coalesce("subject_id", "subject"),
        start_wall=pl.when(pl.col("said_start").is_null()).then("start_wall"),
        start=pl.coalesce("said_start", "start"),
        night=pl.coalesce("said_night", "night"),
        zone=pl.coalesce("zone", "name_zone"),
    )
    known = read_subjects(spec.subjects, options) if spec.subjects else pl.DataFrame(schema=SUBJECTS)
    rows = with_subjects(rows, known)
    facts = rows.select(
        *FILE_COLUMNS[1:],
        *("subject_id", "start", "start_wall", "night"),
        zone=pl.coalesce("zone", "known_zone", pl.lit(spec.zone, pl.String)),
        device_offset_s=pl.coalesce("device_offset_s", "known_offset_s", pl.lit(spec.device_offset_s, pl.Int64)),
        received_at=pl.coalesce("received_at", "known_received_at"),
    )
    if not rows["is_folder"].any():
        return facts
    return facts.with_columns(pl.exclude(FILE_COLUMNS).first().over("input"))


def _named_apart(rows: pl.DataFrame, roots: Sequence[str]) -> pl.DataFrame:
    """Prefixes names that several inputs have with as many last folders of their roots as it takes."""
    shared = pl.col("listing").n_unique().over("input") > 1
    if rows.select(shared.any()).item():
        distinct = {root: root.split("/") for root in roots}
        depth = next(n for n in range(1, 1000) if len({tuple(p[-n:]) for p in distinct.values()}) == len(distinct))
        tails = pl.Series(["/".join(distinct[root][-depth:]).strip("/") + "/" for root in roots])
        prefix = pl.when(shared).then(pl.lit(tails).gather(pl.col("listing"))).otherwise(pl.lit(""))
        rows = rows.with_columns(input=prefix + pl.col("input"), file=prefix + pl.col("file"))
        clash = rows.filter(pl.col("listing").n_unique().over("input") > 1)
        if clash.height:
            raise UserError(f"two inputs have a file called {clash['input'][0]!r}; give their folders distinct names")
    return rows
