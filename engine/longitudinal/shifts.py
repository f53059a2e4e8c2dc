"""Three over six: three nights that are all warmer than the warmest of the six before."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BEFORE, AFTER = 6, 3


def shifts(x: NDArray[np.float64], person: NDArray[np.int64]) -> NDArray[np.int64]:
    """The first of the three nights, of each shift. It is known with the third, at index + 2, and never earlier.

    x: (n,) float64 without missing values; person: (n,) int64, equal numbers lie together.

    >>> x = np.array([34.0, 34.1, 33.9, 34.0, 34.2, 34.1, 34.6, 34.5, 34.7, 34.6])
    >>> shifts(x, np.zeros(10, np.int64)).tolist()
    [6]
    """
    whole = BEFORE + AFTER
    if len(x) < whole:
        return np.zeros(0, np.int64)
    seen = np.lib.stride_tricks.sliding_window_view(x, whole)
    over = seen[:, BEFORE:].min(axis=1) > seen[:, :BEFORE].max(axis=1)
    of_one = person[: 1 - whole] == person[whole - 1 :]
    return np.flatnonzero(over & of_one) + BEFORE
