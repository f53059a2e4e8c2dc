"""Population stability index: how far a distribution has moved, over bins that the reference divides evenly.

Siddiqi 2006, Credit Risk Scorecards; it is the sum of both Kullback–Leibler divergences.
"""

from __future__ import annotations

import numpy as np

from kernels.arrays import Floats

BINS = 10
LEAST_SHARE = 1e-4
"""An empty bin counts as this much, or one night more would be infinitely far."""


def psi(reference: Floats, test: Floats) -> float:
    """Σ (a − e) ln(a / e) over bins; 0 = equal, no unit. reference, test: (bins,) shares.

    >>> round(psi(np.full(4, 0.25), np.array([0.2, 0.3, 0.3, 0.2])), 10)
    0.0405465108
    """
    e, a = np.maximum(reference, LEAST_SHARE), np.maximum(test, LEAST_SHARE)
    return float(((a - e) * np.log(a / e)).sum())


def inner_edges(reference: Floats) -> Floats:
    """(≤ 9,) the reference's deciles without equal ones, ascending: the outer bins are open.

    reference: (n,) float64, NaN = missing; without a value there is no edge.

    >>> inner_edges(np.array([1.0, 1.0, 1.0, np.nan])).tolist()
    [1.0]
    """
    present = reference[~np.isnan(reference)]
    if not present.size:
        return present
    return np.unique(np.quantile(present, np.arange(1, BINS) / BINS))


def shares(x: Floats, edges: Floats) -> Floats:
    """(edges + 2,) share of x in each bin, an edge being in the lower one; the last bin is of what is missing (NaN).

    >>> shares(np.array([1.0, 2.0, 3.0, np.nan]), np.array([2.0])).tolist()
    [0.5, 0.25, 0.25]
    """
    missing = np.isnan(x)
    counts = np.bincount(np.searchsorted(edges, x[~missing]), minlength=len(edges) + 1)
    return np.append(counts, missing.sum()) / max(len(x), 1)
