"""What goes wrong with real exports, to be done on purpose to generated ones."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from engine.simulate.e4 import pack

SPOILING = ("truncated", "empty", "missing", "spreadsheet", "restart", "duplicate")
"""Kinds that befall a night: the upload broke off, a member has no bytes, a member is absent, somebody re-saved a
table in a spreadsheet, the device restarted and left two sessions, the same upload arrived twice."""
STRAY = ("garbage", "bomb")
"""Kinds that hold no night: bytes that are no zip, and a small zip that unpacks to 80 MB of one repeated row."""
KINDS = SPOILING + STRAY


def spoil(files: Mapping[str, bytes], kind: str) -> dict[str, bytes]:
    """The members of a session after `kind` (empty, missing or spreadsheet); unchanged for every other kind."""
    spoiled = dict(files)
    if kind == "empty":
        spoiled["IBI.csv"] = b""
        spoiled["EDA.csv"] = b""
    elif kind == "missing":
        del spoiled["TEMP.csv"]
    elif kind == "spreadsheet":
        spoiled["BVP.csv"] = mangle(files["BVP.csv"])
        spoiled["tags.csv"] = mangle(files["tags.csv"])
    return spoiled


def mangle(table: bytes) -> bytes:
    """A one-column table of decimals after a spreadsheet: no trailing zeros, Windows line ends.

    >>> mangle(b"1644226405.000000\\n4.000000\\n33.10\\n-0.00\\n")
    b'1644226405\\r\\n4\\r\\n33.1\\r\\n0\\r\\n'
    """
    shorter = re.sub(rb"\.?0*\n", b"\r\n", table)
    return re.sub(rb"(?m)^-0\r", b"0\r", shorter)


def truncate(archive: bytes) -> bytes:
    """The first 60 % of an upload: no central directory, the member at the cut broken off."""
    return archive[: int(len(archive) * 0.6)]


def stray(kind: str, start_s: int, rng: np.random.Generator) -> bytes:
    """A file that holds no night."""
    if kind == "garbage":
        return rng.bytes(20_000)
    if kind == "bomb":
        head = b"%d.000000\n64.000000\n" % start_s
        return pack({"BVP.csv": head + b"0.00\n" * 16_000_000}, start_s, level=9)
    raise ValueError(f"unknown stray {kind!r}; one of {', '.join(STRAY)}")
