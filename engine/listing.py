"""Listing an input: which files there are, which of them are candidates, and which belong together as one input."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from engine.errors import UserError
from engine.facts import check_zones, read_table, typed
from engine.storage import Entry, StoreOptions, open_store, split_uri
from engine.template import CLOCK, glob

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
DEFAULT_NAMES = r"(?i)\.(zip|parquet)$"
OUR_TABLES = r"(?i)(^|/)(manifest|subjects)\.parquet$"
HIDDEN = r"(?s)(^|/)(\.|__MACOSX/)"


@dataclass(frozen=True, slots=True)
class Listing:
    """Files below one root, with the columns of `ENTRY`; paths are relative to the root.

    A manifest's also have those of `SAID`, and `uri`, since it may name files elsewhere. `chosen` are files that
    somebody named one by one: each is a candidate whatever it is called.
    """

    root: str
    files: pl.DataFrame
    ignored: pl.DataFrame
    chosen: bool = False


def list_input(uri: str, options: StoreOptions) -> Listing:
    """Everything below a folder or prefix, or what a manifest names, or one file. Raises `UserError` if nothing is."""
    lower = uri.lower()
    if lower.endswith((".csv", ".parquet")) and _is_file(uri, options):
        table = read_table(uri, options)
        if "uri" in table.columns:
            return _from_manifest(uri, table, options)
        if lower.endswith(".csv"):
            raise UserError(f"{uri}: a manifest needs a column uri; it has {', '.join(table.columns)}")
    if _is_file(uri, options):
        return list_files([uri], options)
    store = open_store(uri, options)
    files, odd = _frames(store.uri, store.list())
    if files.is_empty():
        missing = store.is_local and not Path(store.uri).exists()
        raise UserError(f"{uri}: there is no such folder or file" if missing else f"{uri}: there are no files in it")
    return Listing(store.uri, files, odd)


def list_files(uris: Iterable[str], options: StoreOptions, root: str | None = None) -> Listing:
    """Files named one by one, or E4 folders, all below `root` (default: the parent of the first)."""
    named = [open_store(uri, options).uri for uri in uris]
    top = open_store(root, options).uri if root is not None else split_uri(named[0])[0]
    store = open_store(top, options)
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
    return not parent.endswith(":/") and open_store(parent, options).entry(name) is not None


def _frames(root: str, entries: Iterable[Entry]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Files, and those whose name no table can hold."""
    good: list[tuple[str, int, str]] = []
    odd: list[tuple[str, int, str]] = []
    base = _base(root)
    for entry in entries:
        if entry.path.isascii() or _is_text(entry.path):
            good.append((entry.path, entry.size_bytes, entry.content_key))
        else:
            shown = entry.path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
            odd.append((f"{base}{shown}", entry.size_bytes, "its name is not UTF-8"))
    files = pl.DataFrame(good, schema=ENTRY, orient="row")
    return files, pl.DataFrame(odd, schema=IGNORED, orient="row")


def _base(root: str) -> str:
    return root.rstrip("/") + "/"


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _from_manifest(uri: str, table: pl.DataFrame, options: StoreOptions) -> Listing:
    """Files that a table names in column uri (relative ones beside the table), with what it says of each."""
    root = split_uri(uri)[0]
    said = typed(table, {"uri": pl.String, **SAID}, uri).filter(pl.col("uri").is_not_null())
    check_zones(said["zone"], uri)
    full = [name if "://" in name or name.startswith("/") else f"{root.rstrip('/')}/{name}" for name in said["uri"]]
    said = said.with_columns(uri=pl.Series([open_store(name, options).uri for name in full], dtype=pl.String))
    said = said.unique("uri", keep="first", maintain_order=True)
    listed = _beside(said["uri"].to_list(), options)
    files = said.join(listed, on="uri", how="inner", maintain_order="left")
    path = pl.col("uri").str.strip_prefix(root.rstrip("/") + "/").str.replace(r"^s3://|^/+", "")
    gone = said.join(listed, on="uri", how="anti")
    if files.is_empty():
        first = f", such as {gone['uri'][0]}" if gone.height else ""
        raise UserError(f"{uri}: none of the {gone.height} files that it names exists{first}")
    why = pl.lit("the manifest names it; it is not there")
    ignored = gone.select("uri", size_bytes=pl.lit(None, pl.Int64), why=why)
    return Listing(root, files.with_columns(path=path).select("uri", *ENTRY, *SAID), ignored, chosen=True)


def _beside(uris: Sequence[str], options: StoreOptions) -> pl.DataFrame:
    """uri, size_bytes and content_key of all that the folders hold in which these files lie, one listing a folder."""
    frames = [pl.DataFrame(schema={"uri": pl.String} | ENTRY)]
    for parent in sorted({split_uri(uri)[0] for uri in uris}):
        frame = _frames(parent, open_store(parent, options).list())[0]
        frames.append(frame.select(pl.concat_str(pl.lit(_base(parent)), "path").alias("uri"), *ENTRY))
    return pl.concat(frames).drop("path").unique("uri")


def pieces(listing: Listing, most_rows: int) -> Iterator[pl.DataFrame]:
    """The files some at a time, with uri and the columns of `SAID`; files of one E4 folder stay together."""
    unsaid = [pl.lit(None, kind).alias(name) for name, kind in SAID.items() if name not in listing.files.columns]
    uri = [] if "uri" in listing.files.columns else [pl.concat_str(pl.lit(_base(listing.root)), "path").alias("uri")]
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

    `why` is null for candidates, else says why the file is ignored. By default candidates are *.zip and *.parquet
    (but no manifest.parquet or subjects.parquet) and E4 folders; hidden files never are, unless chosen.
    """
    last_of_root = listing.root.rstrip("/").rpartition("/")[2]
    frame = files.with_columns(name=_name(), folder=_folder(), e4=_name().is_in(E4_FILES))
    member = pl.col("e4") & (pl.col("e4").sum().over("folder") >= 2)
    in_root = member & (pl.col("folder") == "")
    frame = frame.with_columns(is_folder=member).with_columns(
        file=pl.when(in_root).then(pl.lit(f"{last_of_root}/") + pl.col("path")).otherwise("path"),
        input=pl.when(in_root).then(pl.lit(last_of_root)).when(member).then("folder").otherwise("path"),
    )
    if listing.chosen:
        why = pl.lit(None, pl.String)
    else:
        hidden, wanted = pl.col("path").str.contains(HIDDEN), _wanted(include)
        reason = "no include pattern matches it" if include else "neither *.zip, *.parquet nor in an E4 folder"
        why = pl.when(hidden).then(pl.lit("hidden")).when(~wanted).then(pl.lit(reason))
    return frame.with_columns(why=why).drop("name", "folder", "e4")


def _name() -> pl.Expr:
    return pl.col("path").str.extract(r"(?s)([^/]*)$")


def _folder() -> pl.Expr:
    return pl.col("path").str.extract(r"(?s)^(.*)/[^/]*$").fill_null("")


def _wanted(include: Sequence[str]) -> pl.Expr:
    if not include:
        ours = pl.col("path").str.contains(OUR_TABLES)
        return pl.col("is_folder") | (pl.col("path").str.contains(DEFAULT_NAMES) & ~ours)
    matched = pl.lit(False)
    for pattern in include:
        where = "" if "/" in pattern else "(?:.*/)?"
        expression = f"(?s)^{where}{glob(pattern.removeprefix('./'))}$"
        matched = matched | pl.col("path").str.contains(expression) | pl.col("input").str.contains(expression)
    return pl.when("is_folder").then(matched.any().over("input")).otherwise(matched)
