"""Grouping closes over nights: all files of one (subject, night hint) are one Source, whatever input they come from."""

from __future__ import annotations

import polars as pl

from engine.identity import SEPARATOR, identity_of_text
from engine.inputs.template import CLOCK

DATED = r"/[0-9]{4}-[0-9]{2}-[0-9]{2}$"
NOON_TO_NOON = pl.duration(hours=12)
FACTS = ("source_id", "subject_id", "start", "night_hint", "zone", "device_offset_s", "received_at", "calibrations")
OF_FILE = ("uri", "size_bytes", "content_key")
KNOWN = ("source_id", "subject_id", "zone", "device_offset_s", "night_hint", "received_at", "calibrations")


def night_hints(inputs: pl.DataFrame) -> pl.DataFrame:
    """Adds night_hint: what the name or manifest says, else the date of (start − 12 h) in the zone, else UTC.

    `start_wall`, a wall clock time, is read in the zone and gives `start`.
    """
    numbered = inputs.with_row_index("order").with_columns(pl.col("zone").fill_null("UTC").alias("clock"))
    parts = []
    for (zone,), part in numbered.partition_by("clock", as_dict=True).items():
        wall = pl.col("start_wall").dt.replace_time_zone(str(zone), ambiguous="earliest", non_existent="null")
        start = pl.coalesce("start", wall.dt.convert_time_zone("UTC"), pl.col("start_wall").dt.replace_time_zone("UTC"))
        date = (start - NOON_TO_NOON).dt.convert_time_zone(str(zone)).dt.date()
        parts.append(part.with_columns(start=start, night_hint=pl.coalesce("night", date)))
    hinted = pl.concat(parts).sort("order") if parts else numbered.with_columns(night_hint=pl.col("night"))
    return hinted.drop("order", "clock", "night", "start_wall")


def source_ids(inputs: pl.DataFrame) -> pl.DataFrame:
    """Adds source_id: subject/night hint, or without a hint the input's name (one Source an input)."""
    # A name that ends like a night could equal another subject's night, so it is told apart whatever else is there.
    alone = pl.when(pl.col("input").str.contains(DATED)).then(pl.col("input") + "#").otherwise("input")
    night = pl.col("subject_id") + "/" + pl.col("night_hint").cast(pl.String)
    return inputs.with_columns(source_id=pl.coalesce(night, alone))


def inputs(rows: pl.DataFrame) -> pl.DataFrame:
    """One row an input with its facts, and the uri and content key that the ledger keeps: a file's, or its folder's.

    `rows` are an inventory's, one a raw file.
    """
    is_part = pl.col("input").is_duplicated()
    single = rows.filter(~is_part).select("input", *FACTS, *OF_FILE, files=pl.lit(1, pl.UInt32))
    if single.height == rows.height:
        return single
    folders = (
        rows.filter(is_part)
        .sort("file")
        .group_by("input", maintain_order=True)
        .agg(
            pl.col(*FACTS).first(),
            pl.col("uri").first().str.replace(r"(?s)/[^/]*$", ""),
            pl.col("size_bytes").sum(),
            content_key=_fields(),
            files=pl.len(),
        )
    )
    keys = pl.Series("content_key", [identity_of_text("", (text,)) for text in folders["content_key"]], pl.String)
    return pl.concat([single, folders.with_columns(keys)])


def _fields() -> pl.Expr:
    """Name, size and content key of each file in turn, as `engine.identity.input_identity` hashes them."""
    return _field().str.join(SEPARATOR)


def _field() -> pl.Expr:
    return pl.concat_str("file", pl.col("size_bytes").cast(pl.String), "content_key", separator=SEPARATOR)


def sources(rows: pl.DataFrame) -> pl.DataFrame:
    """One row a Source, with its identity. Where its inputs disagree, the earliest says zone, device offset and
    calibrations.

    `rows` are an inventory's, one a raw file. No order is promised.
    """
    shared = pl.col("source_id").is_duplicated()
    one = pl.lit(1, pl.UInt32)
    alone = rows.filter(~shared).select(*KNOWN, "size_bytes", inputs=one, files=one, text=_field())
    joined = alone if alone.height == rows.height else pl.concat([alone, _of_several(rows.filter(shared))])
    heads = joined.select(
        head=pl.concat_str(
            "subject_id",
            pl.col("zone").fill_null(""),
            pl.col("device_offset_s").cast(pl.String).fill_null(""),
            pl.col("night_hint").cast(pl.String).fill_null(""),
            pl.col("received_at").cast(CLOCK).dt.timestamp("us").cast(pl.String).fill_null(""),
            separator=SEPARATOR,
        )
        + pl.concat_str(pl.lit(SEPARATOR), "calibrations").fill_null("")
    )["head"]
    identities = [identity_of_text(head, (text,)) for head, text in zip(heads, joined["text"], strict=True)]
    return joined.drop("text").with_columns(identity=pl.Series(identities, dtype=pl.String))


def _of_several(rows: pl.DataFrame) -> pl.DataFrame:
    known = (
        rows.sort("start", "input", nulls_last=True)
        .group_by("source_id")
        .agg(
            pl.col("subject_id").first(),
            pl.col("zone", "device_offset_s").drop_nulls().first(),
            pl.col("night_hint", "calibrations").first(),
            pl.col("received_at").max(),
            inputs=pl.col("input").n_unique(),
        )
    )
    held = rows.sort("file").group_by("source_id").agg(pl.col("size_bytes").sum(), files=pl.len(), text=_fields())
    joined = known.join(held, on="source_id", validate="1:1")
    return joined.select(*KNOWN, "size_bytes", "inputs", "files", "text")
