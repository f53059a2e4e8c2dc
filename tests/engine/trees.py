"""Small trees of raw files for tests of the inventory and the plan."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from engine.inventory import Inventory
from engine.storage import StoreOptions

OPTIONS = StoreOptions()
NOON = 1586952000
"""2020-04-15 12:00:00 UTC."""

EVENING = 1586909000
"""2020-04-15 00:03:20 UTC, 2020-04-14 19:03:20 in Chicago."""


def write_tree(root: Path, files: Mapping[str, bytes | str]) -> Path:
    """Files below `root` by relative name; each gets its own fixed modification time."""
    for index, (name, data) in enumerate(files.items()):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        os.utime(path, ns=(10**18 + index, 10**18 + index))
    return root


def write_empty(root: Path, *names: str) -> Path:
    return write_tree(root, dict.fromkeys(names, b"x"))


def grouped(inventory: Inventory) -> dict[str, list[str]]:
    held = inventory.inputs.group_by("source_id").agg(pl.col("input").sort())
    return dict(zip(held["source_id"], held["input"].to_list(), strict=True))


def whys(inventory: Inventory) -> dict[str, str]:
    return {uri.rpartition("/")[2]: why for uri, _, why in inventory.ignored.iter_rows()}
