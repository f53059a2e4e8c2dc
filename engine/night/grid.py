"""The grid of ten-second epochs: epoch i is [start_us + i·10 s, start_us + (i+1)·10 s), start ≡ 0 mod 10 s in UTC."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

EPOCH_S = 10
EPOCH_US = EPOCH_S * 1_000_000


@dataclass(frozen=True, slots=True)
class Grid:
    """`n` epochs from `start_us` (UTC µs, a multiple of ten seconds). ValueError on an unaligned start or n < 0."""

    start_us: int
    n: int

    def __post_init__(self) -> None:
        if self.start_us % EPOCH_US:
            raise ValueError(f"grid start {self.start_us} µs is not a multiple of {EPOCH_S} s")
        if self.n < 0:
            raise ValueError(f"a grid has no negative number of epochs: {self.n}")

    @property
    def end_us(self) -> int:
        return self.start_us + self.n * EPOCH_US

    @property
    def ts_us(self) -> NDArray[np.int64]:
        """(n,) int64: start of each epoch, UTC µs."""
        return self.start_us + EPOCH_US * np.arange(self.n, dtype=np.int64)

    def index(self, t_us: ArrayLike) -> NDArray[np.int64]:
        """Epoch number of each time; below 0 or ≥ n where it lies outside. A time at an epoch's end is the next's.

        >>> Grid(0, 2).index([9_999_999, 10_000_000]).tolist()
        [0, 1]
        """
        result: NDArray[np.int64] = (np.asarray(t_us, dtype=np.int64) - self.start_us) // EPOCH_US
        return result


def cover(start_us: int, end_us: int) -> Grid:
    """The smallest grid that holds [start_us, end_us); empty where end ≤ start.

    >>> cover(1_594_751_512_000_000, 1_594_751_525_000_000)
    Grid(start_us=1594751510000000, n=2)
    """
    first = start_us // EPOCH_US
    last = -(-end_us // EPOCH_US)
    return Grid(first * EPOCH_US, max(last - first, 0))
