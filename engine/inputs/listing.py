"""Listing an input: which files there are, which of them are candidates, and which belong together as one input."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl

from engine.errors import UserError
from engine.inputs import s3_inventory
from engine.inputs.facts import check_zones, read_table, typed
from engine.inputs.template import CLOCK, glob
from engine.storage import Entry, Store, StoreOptions, split_uri

E4_FILES = ("ACC.csv", "BVP.csv", "EDA.csv", "HR.csv", "IBI.csv", "TEMP.csv", "tags.csv", "info.txt")
"""A folder with two or more of these is one input; its other files are none of ours."""

SAID: dict[str, Any] = {
    "subject_id": pl.String,
    "start": CLOCK,
    "night": pl.Date,
    "zone": pl.String,
    "device_offset_s": pl.Int64,
    "received_at": CLOCK,
}
"""What a manifest may say of a file; null = unsaid."""

ENTRY: dict[str, Any] = {"path": pl.String, "size_bytes": pl.Int64, "content_key": pl.String}
IGNORED = {"uri": pl.String, "size_bytes": pl.Int64, "why": pl.String}
LISTINGS_AT_ONCE = 16
ENTRIES_AT_ONCE = 50_000
DEFAULT_NAMES = r"(?i)\.(zip|parquet|cwa|bin|edf|avro|gt3x)$"
VITALS_NAMES = (
    r"(?i)(^|/)(heart_rate-[^/]*\.json|(heart rate variability details|(device|wrist) temperature)[^/]*\.csv"
    r"|export\.xml|raw_[^/]*_(hr|respiratory-rate)\.csv)$"
)
"""Exports of vitals, as Fitbit, Apple Health and Withings name them."""
OUR_TABLES = r"(?i)(^|/)(manifest|subjects|calibrations)\.parquet$"
HIDDEN = r"(?s)(^|/)(\.|__MACOSX/)"


@dataclass(frozen=True, slots=True)
class Listing:
    """Files below one root, with the columns of `ENTRY`; paths are relative to the root.

    A manifest's also have those of `SAID`, `chosen`, and `uri`, since it may name files elsewhere. `chosen` are files
    that somebody named one by one: each is a candidate whatever it is called.
    """

    root: str
    files: pl.DataFrame
    ignored: pl.DataFrame
    chosen: bool = False


def list_input(uri: str, options: StoreOptions) -> Listing:
    """Everything below a folder or prefix, or what a manifest or S3 Inventory names, or one file; else `UserError`."""
    if s3_inventory.is_inventory(uri):
        found = s3_inventory.read(uri, options)
        if found.files.is_empty():
            raise UserError(f"{uri}: there are no files in it")
        return Listing(found.root, found.files, found.ignored)
    lower = uri.lower()
    if lower.endswith((".csv", ".parquet")) and _is_file(uri, options):
        table = read_table(uri, options)
        if "uri" in table.columns:
            return _from_manifest(uri, table, options)
        if lower.endswith(".csv"):
            raise UserError(f"{uri}: a manifest needs a column uri; it has {', '.join(table.columns)}")
    if _is_file(uri, options):
        return list_files([uri], options)
    store = Store(uri, options)
    files, odd = _walk(store)
    if files.is_empty():
        missing = store.is_local and not Path(store.uri).exists()
        raise UserError(f"{uri}: there is no such folder or file" if missing else f"{uri}: there are no files in it")
    return Listing(store.uri, files, odd)


def list_files(uris: Iterable[str], options: StoreOptions, root: str | None = None) -> Listing:
    """Files named one by one, or E4 folders, all below `root` (default: the parent of the first)."""
    named = [Store(uri, options).uri for uri in uris]
    top = Store(root, options).uri if root is not None else split_uri(named[0])[0]
    store = Store(top, options)
    entries: list[Entry] = []
    for uri in named:
        if not uri.startswith(top.rstrip("/") + "/"):
            raise UserError(f"{uri}: is not below {top}")
        path = uri[len(top.rstrip("/")) + 1 :]
        found = store.entry(path)
        inside = [entry for entry in store.list(path) if entry.path.removeprefix(f"{path}/") in E4_FILES]
        if found is None and len(inside) < 2:
            raise UserError(f"{uri}: there is no such file, nor a folder with the csv files of an E4")
        entries += [found] if found is not None else inside
    return Listing(top, *_frames(top, dict.fromkeys(entries)), chosen=True)


def _is_file(uri: str, options: StoreOptions) -> bool:
    parent, name = split_uri(uri)
    return not parent.endswith(":/") and Store(parent, options).entry(name) is not None


def _walk(store: Store, folder: str = "") -> tuple[pl.DataFrame, pl.DataFrame]:
    """Everything below a folder; on S3 its folders are listed at the same time, since one listing is serial."""
    if store.is_local:
        return _frames(store.uri, store.list(folder))
    folders, entries = store.children(folder)
    while len(folders) == 1 and not entries:
        folders, entries = store.children(folders[0])
    with ThreadPoolExecutor(LISTINGS_AT_ONCE) as pool:
        below = list(pool.map(lambda one: _frames(store.uri, store.list(one)), folders))
    files, odd = zip(_frames(store.uri, entries), *below, strict=True)
    return pl.concat(files), pl.concat(odd)


def _frames(root: str, entries: Iterable[Entry]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Files, and those whose name no table can hold."""
    files, odd, rest = [pl.DataFrame(schema=ENTRY)], list[tuple[str, int, str]](), iter(entries)
    while lot := list(islice(rest, ENTRIES_AT_ONCE)):
        good: list[tuple[str, int, str]] = []
        for entry in lot:
            if entry.path.isascii() or _is_text(entry.path):
                good.append((entry.path, entry.size_bytes, entry.content_key))
            else:
                shown = entry.path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
                odd.append((f"{_base(root)}{shown}", entry.size_bytes, "its name is not UTF-8"))
        files.append(pl.DataFrame(good, schema=ENTRY, orient="row"))
    return pl.concat(files), pl.DataFrame(odd, schema=IGNORED, orient="row")


def _base(root: str) -> str:
    return root.rstrip("/") + "/"


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _from_manifest(uri: str, table: pl.DataFrame, options: StoreOptions) -> Listing:
    """Files that a table names in column uri (relative ones beside the table), with what it says of each.

    A row that names a folder says it of all candidates below.
    """
    root = split_uri(uri)[0]
    said = typed(table, {"uri": pl.String, **SAID}, uri).filter(pl.col("uri").is_not_null())
    check_zones(said["zone"], uri)
    full = [name if "://" in name or name.startswith("/") else f"{_base(root)}{name}" for name in said["uri"]]
    said = said.with_columns(uri=pl.Series([Store(name, options).uri for name in full], dtype=pl.String))
    said = said.unique("uri", keep="first", maintain_order=True)
    listed = _beside(said["uri"].to_list(), options)
    named = said.join(listed, on="uri", how="inner", maintain_order="left").with_columns(chosen=pl.lit(True))
    below = _below(said.join(listed, on="uri", how="anti", maintain_order="left"), options)
    files = pl.concat([named, below.filter(pl.col("content_key").is_not_null())]).unique("uri", maintain_order=True)
    gone = below.filter(pl.col("content_key").is_null())
    path = pl.col("uri").str.strip_prefix(_base(root)).str.replace(r"^s3://|^/+", "")
    if files.is_empty():
        first = f", such as {gone['uri'][0]}" if gone.height else ""
        raise UserError(f"{uri}: none of the {gone.height} files that it names exists{first}")
    ignored = gone.select("uri", "size_bytes", why=pl.lit("the manifest names it; it is not there"))
    return Listing(root, files.with_columns(path=path).select("uri", *ENTRY, *SAID, "chosen"), ignored)


def _beside(uris: Sequence[str], options: StoreOptions) -> pl.DataFrame:
    """uri, size_bytes and content_key of all that the folders hold in which these files lie, one listing a folder."""
    frames, done = [pl.DataFrame(schema={"uri": pl.String} | ENTRY)], ""
    for base in sorted({_base(split_uri(uri)[0]) for uri in uris}):
        if not done or not base.startswith(done):
            frames.append(_placed(base, _walk(Store(base, options))[0]))
            done = base
    return pl.concat(frames).drop("path").unique("uri")


def _below(said: pl.DataFrame, options: StoreOptions) -> pl.DataFrame:
    """What a table says of folders, once a file below; what is nowhere has a null content_key."""
    with ThreadPoolExecutor(LISTINGS_AT_ONCE) as pool:
        stores = [Store(uri, options) for uri in said["uri"]]
        held = [files for files, _ in pool.map(_walk, stores)]
    frames = [
        _placed(store.uri, files).select(
            folder=pl.lit(store.uri), uri="uri", size_bytes="size_bytes", content_key="content_key"
        )
        for store, files in zip(stores, held, strict=True)
    ]
    shape = {"folder": pl.String, "uri": pl.String, **ENTRY}
    found = pl.concat([pl.DataFrame(schema=shape).drop("path"), *frames]).rename({"uri": "below"})
    joined = said.join(found, left_on="uri", right_on="folder", how="left", maintain_order="left")
    placed = joined.with_columns(uri=pl.coalesce("below", "uri"), chosen=pl.lit(False)).drop("below")
    return placed.select("uri", *SAID, "size_bytes", "content_key", "chosen")


def _placed(root: str, files: pl.DataFrame) -> pl.DataFrame:
    return files.select(pl.concat_str(pl.lit(_base(root)), "path").alias("uri"), *ENTRY)


def pieces(listing: Listing, most_rows: int) -> Iterator[pl.DataFrame]:
    """The files some at a time, with uri and the columns of `SAID`; files of one E4 folder stay together."""
    had = listing.files.columns
    unsaid = [pl.lit(None, kind).alias(name) for name, kind in SAID.items() if name not in had]
    unsaid += [] if "chosen" in had else [pl.lit(listing.chosen).alias("chosen")]
    uri = [] if "uri" in had else [pl.concat_str(pl.lit(_base(listing.root)), "path").alias("uri")]
    for rows in _whole_folders(listing.files, most_rows):
        yield rows.with_columns(unsaid + uri)


def _whole_folders(files: pl.DataFrame, most_rows: int) -> Iterator[pl.DataFrame]:
    if files.height <= most_rows:
        yield files
        return
    of_e4 = _name().is_in(E4_FILES)
    held = files.filter(of_e4)
    yield from (files.filter(~of_e4) if held.height else files).iter_slices(most_rows)
    share = _folder().hash() % (held.height // most_rows + 1)
    yield from held.with_columns(share=share).partition_by("share", include_key=False)


def candidates(files: pl.DataFrame, listing: Listing, include: Sequence[str]) -> pl.DataFrame:
    """Adds to the files: input (path of the file, or of its E4 folder), is_folder, file (its name) and why.

    `why` is null for candidates, else says why the file is ignored. By default candidates are *.zip, *.parquet (but no
    manifest.parquet or subjects.parquet), *.cwa, *.bin, *.edf, *.avro, *.gt3x, exports of vitals and E4 folders; hidden
    files never are, unless chosen.
    """
    last_of_root = listing.root.rstrip("/").rpartition("/")[2]
    frame = files.with_columns(name=_name(), folder=_folder(), e4=_name().is_in(E4_FILES))
    member = pl.col("e4") & (pl.col("e4").sum().over("folder") >= 2)
    in_root = member & (pl.col("folder") == "")
    frame = frame.with_columns(is_folder=member).with_columns(
        file=pl.when(in_root).then(pl.lit(f"{last_of_root}/") + pl.col("path")).otherwise("path"),
        input=pl.when(in_root).then(pl.lit(last_of_root)).when(member).then("folder").otherwise("path"),
    )
    hidden, wanted = pl.col("path").str.contains(HIDDEN), _wanted(include)
    others = "neither *.zip, *.parquet, *.cwa, *.bin, *.edf, *.avro, *.gt3x nor in an E4 folder"
    reason = "no include pattern matches it" if include else others
    unwanted = pl.when(hidden).then(pl.lit("hidden")).when(~wanted).then(pl.lit(reason))
    why = pl.when(~pl.col("chosen")).then(unwanted)
    return frame.with_columns(why=why).drop("name", "folder", "e4")


def _name() -> pl.Expr:
    return pl.col("path").str.extract(r"(?s)([^/]*)$")


def _folder() -> pl.Expr:
    return pl.col("path").str.extract(r"(?s)^(.*)/[^/]*$").fill_null("")


def _wanted(include: Sequence[str]) -> pl.Expr:
    if not include:
        ours = pl.col("path").str.contains(OUR_TABLES)
        vitals = pl.col("path").str.contains(VITALS_NAMES)
        return pl.col("is_folder") | vitals | (pl.col("path").str.contains(DEFAULT_NAMES) & ~ours)
    matched = pl.lit(False)
    for pattern in include:
        where = "" if "/" in pattern else "(?:.*/)?"
        expression = f"(?s)^{where}{glob(pattern.removeprefix('./'))}$"
        matched = matched | pl.col("path").str.contains(expression) | pl.col("input").str.contains(expression)
    return pl.when("is_folder").then(matched.any().over("input")).otherwise(matched)
