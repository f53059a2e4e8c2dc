"""Holm's correction for many comparisons; Holm 1979, Scand. J. Statist. 6:65–70."""

from __future__ import annotations

import numpy as np

from kernels.arrays import Floats


def holm(p: Floats) -> Floats:
    """Adjusted p values, (k,), at most 1, in the order given; NaN = no comparison, and counts as none.

    >>> holm(np.array([0.01, 0.04, 0.03, np.nan])).tolist()
    [0.03, 0.06, 0.06, nan]
    """
    adjusted = np.full(len(p), np.nan)
    known = np.flatnonzero(np.isfinite(p))
    order = known[np.argsort(p[known], kind="stable")]
    raised = p[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(raised), 1.0) if len(order) else raised
    return adjusted
