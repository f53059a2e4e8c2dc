"""S3 Inventory: a bucket's listing that AWS has written down, as manifest.json and data files (CSV or Parquet).

Reading it costs seconds where listing millions of objects costs minutes. It may be two days old: what has come since is
for the next run. https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory.html
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

import polars as pl
from polars.exceptions import PolarsError

from engine.errors import InputMissing, UserError
from engine.storage import Store, StoreOptions, split_uri

MANIFEST = re.compile(r"(?s)(.*[/\\])?manifest\.json(#.*)?")
NEEDED = ("bucket", "key", "size", "e_tag")
NAMES = {"versionid": "version_id", "islatest": "is_latest", "isdeletemarker": "is_delete_marker", "etag": "e_tag"}
FOLDER = "a folder's own object"
ROWS: dict[str, Any] = {"path": pl.String, "size_bytes": pl.Int64, "content_key": pl.String}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An inventory's rows below one prefix: path (relative to `root`), size_bytes, content_key; and what is no file."""

    root: str
    files: pl.DataFrame
    ignored: pl.DataFrame


def is_inventory(uri: str) -> bool:
    """
    >>> is_inventory("s3://logs/raw/all/2026-01-01T00-00Z/manifest.json#zurich"), is_inventory("s3://raw/manifest.csv")
    (True, False)
    """
    return MANIFEST.fullmatch(uri) is not None


def read(uri: str, options: StoreOptions) -> Snapshot:
    """The newest versions of all objects; with `…/manifest.json#prefix` those below it, named from there.

    Content keys are etags, as a listing gives them. Raises `UserError` where it is no inventory, lacks a field, is in
    ORC, or a data file is missing or not as the manifest says.
    """
    place, _, prefix = uri.partition("#")
    folder, name = split_uri(place)
    try:
        told = json.loads(Store(folder, options).read(name))
        bucket, form, files = told["sourceBucket"], told["fileFormat"].upper(), list(told["files"])
        fields = _fields(told["fileSchema"], form)
    except InputMissing as error:
        raise UserError(f"{uri}: there is no such file") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{uri}: no manifest of an S3 Inventory: {type(error).__name__} {error}") from error
    if form not in ("CSV", "PARQUET"):
        raise UserError(f"{uri}: this S3 Inventory is in {form}; nightmill reads CSV and Parquet")
    missing = [field for field in NEEDED if field not in fields]
    if missing:
        raise UserError(f"{uri}: this S3 Inventory lacks {', '.join(missing)}")
    prefix = prefix.strip("/") + "/" if prefix.strip("/") else ""
    frames = [
        _below(_decoded(data, fields, form, where), prefix)
        for where, data in _data_files(folder, told.get("destinationBucket", ""), files, options)
    ]
    rows = pl.concat([pl.DataFrame(schema=ROWS), *frames])
    root = f"s3://{bucket}/{prefix}".rstrip("/")
    is_folder = pl.col("path").str.ends_with("/") | (pl.col("path") == "")
    ignored = rows.filter(is_folder).select(
        uri=pl.concat_str(pl.lit(root + "/"), "path"), size_bytes="size_bytes", why=pl.lit(FOLDER)
    )
    return Snapshot(root, rows.filter(~is_folder), ignored)


def _fields(schema: str, form: str) -> list[str]:
    """Column names of the data files, CSV's spelt as Parquet's.

    >>> _fields("Bucket, Key, IsLatest, Size, ETag", "CSV")
    ['bucket', 'key', 'is_latest', 'size', 'e_tag']
    >>> _fields("message s3.inventory { required binary key (STRING); optional int64 size; }", "PARQUET")
    ['key', 'size']
    """
    if form == "CSV":
        names = [name.strip().lower() for name in schema.split(",")]
        return [NAMES.get(name, name) for name in names]
    return re.findall(r"(?:required|optional)\s+\w+\s+(\w+)", schema)


def _data_files(
    folder: str, destination: str, files: list[dict[str, Any]], options: StoreOptions
) -> Iterator[tuple[str, bytes]]:
    """Where the manifest says; beside it or in the `data` folder above it where the whole was copied elsewhere."""
    bucket = destination.rpartition(":")[2]
    for file in files:
        name = str(file["key"]).rpartition("/")[2]
        above = split_uri(folder)[0]
        copied = [f"{above}/data/{name}", f"{folder}/data/{name}", f"{folder}/{name}"]
        where = [f"s3://{bucket}/{file['key']}"] if bucket and folder.startswith("s3://") else []
        yield _first([*where, *copied], str(file.get("MD5checksum", "")), options)


def _first(places: list[str], md5: str, options: StoreOptions) -> tuple[str, bytes]:
    for place in places:
        folder, name = split_uri(place)
        try:
            data = Store(folder, options).read(name)
        except InputMissing:
            continue
        if md5 and hashlib.md5(data, usedforsecurity=False).hexdigest() != md5:
            raise UserError(f"{place}: is not the data file of this manifest (its MD5 differs)")
        return place, data
    raise UserError(f"{places[0]}: the data file of an S3 Inventory is missing")


def _decoded(data: bytes, fields: list[str], form: str, where: str) -> pl.DataFrame:
    """Newest versions: key, size_bytes, content_key."""
    try:
        rows = _read_csv(data, fields) if form == "CSV" else pl.read_parquet(io.BytesIO(data))
        for name, unwanted in (("is_latest", "false"), ("is_delete_marker", "true")):
            if name in rows.columns:
                rows = rows.filter(pl.col(name).cast(pl.String).str.to_lowercase().ne_missing(unwanted))
        return rows.select(
            "key", size_bytes=pl.col("size").cast(pl.Int64), content_key=pl.col("e_tag").str.strip_chars('"')
        )
    except (PolarsError, OSError, EOFError) as error:
        raise UserError(f"{where}: no data file of an S3 Inventory: {str(error).splitlines()[0]}") from error


def _read_csv(data: bytes, fields: list[str]) -> pl.DataFrame:
    text = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    rows = pl.read_csv(text, has_header=False, new_columns=fields, infer_schema=False)
    coded = rows["key"].str.contains("[%+]")
    if coded.any():  # CSV holds keys as in a URL
        keys = [unquote_plus(key) if is_coded else key for key, is_coded in zip(rows["key"], coded, strict=True)]
        rows = rows.with_columns(key=pl.Series(keys, dtype=pl.String))
    return rows


def _below(rows: pl.DataFrame, prefix: str) -> pl.DataFrame:
    below = rows.filter(pl.col("key").str.starts_with(prefix)) if prefix else rows
    return below.select(path=pl.col("key").str.strip_prefix(prefix), size_bytes="size_bytes", content_key="content_key")
