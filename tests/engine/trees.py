"""Small trees of raw files for tests of the inventory and the plan."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from engine.storage import StoreOptions

OPTIONS = StoreOptions()


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
