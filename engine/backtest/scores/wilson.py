"""Wilson's interval of a share; Wilson 1927, doi:10.1080/01621459.1927.10502953."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def wilson(hits: ArrayLike, n: ArrayLike, level: float = 0.95) -> tuple[Floats, Floats]:
    """Lower and upper end for `hits` of `n` independent rows; NaN where n is 0.

    Steps of one origin and rows of one user are not independent: over such rows it is too narrow.

    >>> [round(float(end), 4) for end in wilson(8, 10)]
    [0.4902, 0.9433]
    """
    z = NormalDist().inv_cdf(0.5 + level / 2)
    count = np.where(np.asarray(n) > 0, np.asarray(n, np.float64), np.nan)
    share = np.asarray(hits, np.float64) / count
    middle = share + z * z / (2 * count)
    half = z * np.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    stretch = 1 + z * z / count
    return np.clip((middle - half) / stretch, 0, 1), np.clip((middle + half) / stretch, 0, 1)
