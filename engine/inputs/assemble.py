"""From listings to an inventory in bounded memory: read in pieces, given unique names, grouped, in the plan's order.

Three passes over compressed pieces of at most a few hundred thousand rows: what names and tables say of each file;
Source ids, and the chunk of each row; the chunks sorted. What all rows must agree on is kept as hashes or counts.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from engine.errors import UserError
from engine.inputs import grouping
from engine.inputs.calibrations import HISTORY, read_calibrations, with_calibrations
from engine.inputs.facts import SUBJECTS, check_zones, read_subjects, with_subjects
from engine.inputs.listing import IGNORED, Listing, candidates, pieces
from engine.inputs.template import compile_template, read_names
from engine.inputs.unique_names import UniqueNames
from engine.storage import Store, StoreOptions

FILE_COLUMNS = ("source_id", "input", "file", "uri", "size_bytes", "content_key")
FACT_COLUMNS = (
    "source_id", "subject_id", "start", "night_hint", "zone", "device_offset_s", "received_at", "calibrations",
)  # fmt: skip
ORDER = ("hint", "subject_id", "night_hint", "source_id")
"""The plan's order of Sources: a batch then writes few partitions."""

CHUNK_ROWS = 250_000
"""Rows of a chunk, more where one subject has more of them in one month."""


@dataclass(frozen=True, slots=True)
class InputSpec:
    """Where raw files lie and what is known of all of them.

    `uri` is a folder, an S3 prefix, one file, a manifest (CSV or Parquet with a column uri) or an S3 Inventory's
    manifest.json. `template` says where a name holds subject and start (see `engine.inputs.template`); `include` are
    patterns of candidates. `subjects` is the URI of a table of subject_id, zone, valid_from, device_offset_s and
    received_at, `calibrations` of one of subject_id, device, valid_from, cal_id and coefficients.
    """

    uri: str
    template: str | None = None
    zone: str | None = None
    device_offset_s: int | None = None
    subjects: str | None = None
    include: tuple[str, ...] = ()
    calibrations: str | None = None


@dataclass(frozen=True, slots=True)
class _Piece:
    """Some rows of one listing, compressed: all columns of an inventory but source_id."""

    listing: int
    data: bytes


def assemble(
    listed: Sequence[tuple[InputSpec, Listing]], options: StoreOptions, chunk_rows: int = CHUNK_ROWS
) -> tuple[tuple[bytes, ...], pl.DataFrame]:
    """Chunks of whole Sources in the plan's order (see `engine.inventory.Inventory`), and the ignored objects."""
    held, ignored = list[_Piece](), [listing.ignored for _, listing in listed]
    names, counts = list[pl.DataFrame](), list[pl.DataFrame]()
    listings = [listing for _, listing in listed]
    earlier = _Earlier(listings)
    for number, (spec, listing) in enumerate(listed):
        for rows, others in _read(spec, listing, options, chunk_rows):
            fresh, again = earlier.split(number, rows)
            ignored += [others.select(*IGNORED), again]
            hinted = grouping.night_hints(fresh)
            held.append(_Piece(number, pack(hinted)))
            names.append(hinted.select(name=pl.col("input").hash(), listing=pl.lit(number, pl.UInt32)))
            counts.append(hinted.group_by(hint=hint(), subject_id="subject_id").len())
    unique = UniqueNames.over(pl.concat(names), [listing.root for listing in listings])
    shares = _scattered(held, unique, _buckets(pl.concat(counts), chunk_rows))
    unique.check()
    return tuple(_ordered(shares)), pl.concat(ignored)


def hint() -> pl.Expr:
    """Month of the night hint; empty without one."""
    return pl.col("night_hint").dt.strftime("%Y-%m").fill_null("").alias("hint")


def pack(rows: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    rows.write_parquet(buffer, compression="zstd", compression_level=1, statistics=False)
    return buffer.getvalue()


def _buckets(counts: pl.DataFrame, chunk_rows: int) -> pl.DataFrame:
    """hint, subject_id, bucket: which chunk the rows of a subject's month belong to."""
    summed = counts.group_by("hint", "subject_id").agg(pl.col("len").sum()).sort("hint", "subject_id")
    before = pl.col("len").cum_sum() - pl.col("len")
    return summed.select("hint", "subject_id", bucket=(before // chunk_rows).cast(pl.UInt32))


def _scattered(held: list[_Piece], unique: UniqueNames, buckets: pl.DataFrame) -> dict[int, list[bytes]]:
    """Each piece's rows by bucket. Pieces are given up as they are read."""
    shares: dict[int, list[bytes]] = {}
    held.reverse()
    while held:
        piece = held.pop()
        rows = grouping.source_ids(unique.rename(pl.read_parquet(piece.data), piece.listing)).with_columns(hint())
        rows = rows.join(buckets, on=["hint", "subject_id"], how="left", maintain_order="left")
        for (bucket,), share in rows.drop("hint").partition_by("bucket", as_dict=True, include_key=False).items():
            shares.setdefault(int(bucket), []).append(pack(share))
    return shares


def _ordered(shares: dict[int, list[bytes]]) -> Iterator[bytes]:
    for bucket in sorted(shares):
        rows = pl.concat([pl.read_parquet(share) for share in shares.pop(bucket)])
        yield pack(in_order(rows))


def in_order(rows: pl.DataFrame) -> pl.DataFrame:
    """An inventory's columns, Sources in the plan's order, their files by name."""
    ordered = rows.with_columns(hint()).sort(*ORDER, "file")
    return ordered.select(*FILE_COLUMNS, *FACT_COLUMNS[1:])


def _read(
    spec: InputSpec, listing: Listing, options: StoreOptions, most_rows: int
) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """The candidates of one input with what is known of them, and what is ignored, piece by piece."""
    check_zones(pl.Series([spec.zone], dtype=pl.String), spec.uri)
    template = compile_template(spec.template) if spec.template else None
    tables = [Store(uri, options).uri for uri in (spec.subjects, spec.calibrations) if uri]
    known = read_subjects(spec.subjects, options) if spec.subjects else pl.DataFrame(schema=SUBJECTS)
    history = read_calibrations(spec.calibrations, options) if spec.calibrations else pl.DataFrame(schema=HISTORY)
    taken, first, others = 0, None, 0
    for files in pieces(listing, most_rows):
        rows = candidates(files, listing, spec.include)
        rows = rows.rename({"path": "listed", "start": "said_start", "night": "said_night"})
        rows = read_names(rows.with_columns(path="input"), template)
        off_template = ~pl.col("matched") & pl.col("subject_id").is_null()
        rows = rows.with_columns(
            why=pl.when(pl.col("uri").is_in(tables))
            .then(pl.lit("a table about subjects"))
            .when(pl.col("why").is_null() & off_template)
            .then(pl.lit("the template does not match it"))
            .otherwise("why")
        )
        kept, ignored = rows.filter(pl.col("why").is_null()), rows.filter(pl.col("why").is_not_null())
        taken, others = taken + kept.height, others + ignored.height
        first = ignored.row(0, named=True) if first is None and ignored.height else first
        yield _with_facts(kept, spec, known, history), ignored
    if not taken and first is not None:
        raise UserError(
            f"{spec.uri}: none of its {others} files is a candidate; {first['listed']!r}: {first['why']}. "
            "Set `include` or `template`"
        )


def _with_facts(rows: pl.DataFrame, spec: InputSpec, known: pl.DataFrame, history: pl.DataFrame) -> pl.DataFrame:
    """What a manifest says goes before what the name says, then the subjects table, then the whole input."""
    rows = rows.with_columns(
        subject_id=pl.coalesce("subject_id", "subject"),
        start_wall=pl.when(pl.col("said_start").is_null()).then("start_wall"),
        start=pl.coalesce("said_start", "start"),
        night=pl.coalesce("said_night", "night"),
        zone=pl.coalesce("zone", "name_zone"),
    )
    rows = with_calibrations(with_subjects(rows, known), history)
    facts = rows.select(
        *FILE_COLUMNS[1:],
        *("subject_id", "start", "start_wall", "night"),
        zone=pl.coalesce("zone", "known_zone", pl.lit(spec.zone, pl.String)),
        device_offset_s=pl.coalesce("device_offset_s", "known_offset_s", pl.lit(spec.device_offset_s, pl.Int64)),
        received_at=pl.coalesce("received_at", "known_received_at"),
        calibrations="calibrations",
    )
    if not rows["is_folder"].any():
        return facts
    return facts.with_columns(pl.exclude(FILE_COLUMNS).first().over("input"))


class _Earlier:
    """The files of listings that a later one may hold as well."""

    def __init__(self, listings: Sequence[Listing]) -> None:
        self._later = [
            {other for other in range(number + 1, len(listings)) if _may_share(one, listings[other])}
            for number, one in enumerate(listings)
        ]
        self._seen: list[tuple[int, pl.DataFrame]] = []

    def split(self, number: int, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Rows that no earlier listing has, and the others as ignored objects."""
        before = [uris for other, uris in self._seen if number in self._later[other]]
        if self._later[number]:
            self._seen.append((number, rows.select("uri")))
        if not before:
            return rows, pl.DataFrame(schema=IGNORED)
        uris = pl.concat(before)
        again = rows.join(uris, on="uri", how="semi", maintain_order="left")
        ignored = again.select("uri", "size_bytes", why=pl.lit("an earlier input has it"))
        return rows.join(uris, on="uri", how="anti", maintain_order="left"), ignored


def _may_share(one: Listing, other: Listing) -> bool:
    shorter, longer = sorted((one.root.rstrip("/") + "/", other.root.rstrip("/") + "/"), key=len)
    elsewhere = any(listing.chosen or "uri" in listing.files.columns for listing in (one, other))
    return elsewhere or longer.startswith(shorter)
