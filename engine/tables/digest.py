"""A digest of a multiset of rows: equal whatever the order of rows, columns and files, different if a row differs."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import polars as pl
import pyarrow as pa

_SEEDS = (20_260_101, 77_003)
_HALF = 1 << 32
_MODULUS = 1 << 64


@dataclass(frozen=True, slots=True)
class Digest:
    """Number of rows and two sums of 64-bit row hashes; digests of two sets of rows add up to their union's.

    Comparable between processes of one polars version; not for keeping.
    """

    rows: int = 0
    first: int = 0
    second: int = 0

    def __add__(self, other: Digest) -> Digest:
        first, second = (self.first + other.first) % _MODULUS, (self.second + other.second) % _MODULUS
        return Digest(self.rows + other.rows, first, second)


def digest(rows: pa.Table | pl.DataFrame) -> Digest:
    """The digest of some rows. Column names count, their order does not; -0.0 equals 0.0.

    >>> one, other = pl.DataFrame({"a": [1, 2], "b": ["x", None]}), pl.DataFrame({"b": [None, "x"], "a": [2, 1]})
    >>> digest(one) == digest(other) != digest(one.head(1)), digest(one.head(1)) + digest(one.tail(1)) == digest(one)
    (True, True)
    """
    frame = rows if isinstance(rows, pl.DataFrame) else pl.DataFrame(rows)
    if frame.height == 0:
        return Digest()
    names = sorted(frame.columns)
    salt = zlib.crc32("\n".join(names).encode())
    first, second = (_sum(frame.select(names).hash_rows(seed ^ salt)) for seed in _SEEDS)
    return Digest(frame.height, first, second)


def _sum(hashes: pl.Series) -> int:
    # In two halves: polars' sum of u64 would overflow.
    return (int((hashes // _HALF).sum()) * _HALF + int((hashes % _HALF).sum())) % _MODULUS
