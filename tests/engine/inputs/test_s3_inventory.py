from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import polars as pl
import pytest

from engine.errors import UserError
from engine.inventory import InputSpec, take
from engine.storage import Store
from tests.engine.s3_server import s3_endpoint, s3_options, s3_store  # noqa: F401
from tests.engine.trees import NOON, OPTIONS, whys

CSV_SCHEMA = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag"
PARQUET_SCHEMA = (
    "message s3.inventory { required binary bucket (STRING); required binary key (STRING); optional int64 size; "
    "optional binary e_tag (STRING); }"
)
KEYS = [f"raw/S1/a b_{NOON}.zip", f"raw/S2/é+%_{NOON}.zip", "raw/n/ACC.csv", "raw/n/BVP.csv", "raw/x.txt", "raw/"]


def row(key: str, latest: str = "true", deleted: str = "false") -> str:
    etag = hashlib.md5(key.encode()).hexdigest()
    return f'"study","{quote_plus(key, safe="/")}","v1","{latest}","{deleted}","{len(key)}","2026-01-01","{etag}"\n'


def write(folder: Path, data: list[bytes], suffix: str, **change: Any) -> str:
    """A copy of an S3 Inventory: the manifest in a dated folder, data files in `data` beside it."""
    (folder / "data").mkdir(parents=True)
    files = []
    for number, content in enumerate(data):
        name = f"{number}.{suffix}"
        (folder / "data" / name).write_bytes(content)
        files.append({"key": f"logs/data/{name}", "size": 1, "MD5checksum": hashlib.md5(content).hexdigest()})
    told = {
        "sourceBucket": "study", "destinationBucket": "arn:aws:s3:::logs", "fileFormat": "CSV",
        "fileSchema": CSV_SCHEMA, "files": files,
    } | change  # fmt: skip
    manifest = folder / "2026-01-01T00-00Z" / "manifest.json"
    manifest.parent.mkdir()
    manifest.write_text(json.dumps(told))
    return str(manifest)


def in_csv(folder: Path, **change: Any) -> str:
    lines = [*map(row, KEYS), row("raw/old.zip", latest="false"), row("raw/gone.zip", deleted="true")]
    halves = ["".join(lines[:3]), "".join(lines[3:])]
    return write(folder, [gzip.compress(half.encode()) for half in halves], "csv.gz", **change)


def in_parquet(folder: Path) -> str:
    etags = [hashlib.md5(key.encode()).hexdigest() for key in KEYS]
    rows = pl.DataFrame({"bucket": "study", "key": KEYS, "size": [len(key) for key in KEYS], "e_tag": etags})
    folder.mkdir()
    rows.write_parquet(folder / "rows")
    return write(folder, [(folder / "rows").read_bytes()], "parquet", fileFormat="Parquet", fileSchema=PARQUET_SCHEMA)


def test_csv_and_parquet_say_the_same(tmp_path: Path) -> None:
    one = take([InputSpec(in_csv(tmp_path / "csv"), zone="UTC")], OPTIONS)
    other = take([InputSpec(in_parquet(tmp_path / "parquet"), zone="UTC")], OPTIONS)
    assert one.frame.equals(other.frame)
    assert sorted(one.inputs["uri"]) == [f"s3://study/{KEYS[0]}", f"s3://study/{KEYS[1]}", "s3://study/raw/n"]
    assert sorted(one.sources["source_id"]) == ["S1/2020-04-15", "S2/2020-04-15", "raw/n"]
    others = "neither *.zip, *.parquet, *.cwa, *.bin, *.edf, *.avro, *.gt3x nor in an E4 folder"
    assert whys(one) == {"x.txt": others, "": "a folder's own object"}


def test_below_a_prefix_names_count_from_there(tmp_path: Path) -> None:
    manifest = in_csv(tmp_path / "csv")
    below = take([InputSpec(f"{manifest}#raw/", zone="UTC")], OPTIONS)
    assert sorted(below.inputs["input"]) == [f"S1/a b_{NOON}.zip", f"S2/é+%_{NOON}.zip", "n"]
    assert below.inputs["uri"].str.starts_with("s3://study/raw/").all()
    with pytest.raises(UserError, match="there are no files in it"):
        take([InputSpec(f"{manifest}#nowhere")], OPTIONS)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"fileFormat": "ORC"}, "is in ORC"),
        ({"fileSchema": "Bucket, Key, Size"}, "lacks e_tag"),
        ({"files": None}, "no manifest of an S3 Inventory"),
        ({"files": [{"key": "logs/data/0.csv.gz", "MD5checksum": "0"}]}, "its MD5 differs"),
        ({"files": [{"key": "logs/data/9.csv.gz"}]}, "data file of an S3 Inventory is missing"),
        ({"fileFormat": "Parquet", "fileSchema": PARQUET_SCHEMA}, "no data file of an S3 Inventory"),
    ],
)
def test_what_is_no_inventory(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        take([InputSpec(in_csv(tmp_path / "csv", **change))], OPTIONS)


def test_no_json_and_no_file(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("[]")
    with pytest.raises(UserError, match="no manifest of an S3 Inventory"):
        take([InputSpec(str(tmp_path / "manifest.json"))], OPTIONS)
    with pytest.raises(UserError, match="there is no such file"):
        take([InputSpec(str(tmp_path / "x" / "manifest.json"))], OPTIONS)


@pytest.mark.s3
def test_an_inventory_gives_what_a_listing_gives(s3_store: Store, tmp_path: Path) -> None:  # noqa: F811
    for name in (f"S1/a b_{NOON}.zip", f"S2/é+%_{NOON}.zip", "n/ACC.csv", "n/BVP.csv", "x.txt"):
        s3_store.write(f"raw/{name}", name.encode())
    bucket, _, prefix = s3_store.uri.removeprefix("s3://").partition("/")
    lines = [
        f'"{bucket}","{quote_plus(f"{prefix}/{entry.path}", safe="/")}","{entry.size_bytes}","{entry.content_key}"\n'
        for entry in s3_store.list("raw")
    ]
    data = gzip.compress("".join(lines).encode())
    s3_store.write("logs/data/0.csv.gz", data)
    told = {
        "sourceBucket": bucket, "destinationBucket": f"arn:aws:s3:::{bucket}", "fileFormat": "CSV",
        "fileSchema": "Bucket, Key, Size, ETag", "files": [{"key": f"{prefix}/logs/data/0.csv.gz"}],
    }  # fmt: skip
    s3_store.write("logs/1/manifest.json", json.dumps(told).encode())
    listed = take([InputSpec(f"{s3_store.uri}/raw", zone="UTC")], s3_store.options)
    known = take([InputSpec(f"{s3_store.uri}/logs/1/manifest.json#{prefix}/raw", zone="UTC")], s3_store.options)
    assert known.frame.equals(listed.frame)
