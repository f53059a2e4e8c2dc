"""Maximum mean discrepancy of two samples of vectors, under a Gaussian kernel; Gretton 2012, JMLR 13:723."""

from __future__ import annotations

import numpy as np

from kernels.arrays import Floats

AT_ONCE, ENOUGH = 100, 20
"""Permutations in memory together. No more are drawn once so many are as far apart: Besag & Clifford 1991,
10.1093/biomet/78.2.301."""


def distances(x: Floats, y: Floats) -> Floats:
    """(n, m) squared Euclidean distances of the rows of x (n, d) and y (m, d)."""
    squares = (x * x).sum(axis=1)[:, None] + (y * y).sum(axis=1)[None, :] - 2.0 * (x @ y.T)
    return np.maximum(squares, 0.0)


def bandwidth(reference: Floats) -> float:
    """Median distance of two different rows of reference (n, d); NaN below two rows.

    >>> bandwidth(np.array([[0.0], [1.0], [5.0]]))
    4.0
    """
    n = len(reference)
    return float(np.sqrt(np.median(distances(reference, reference)[np.triu_indices(n, 1)]))) if n > 1 else np.nan


def mmd(x: Floats, y: Floats, sigma: float) -> tuple[float, float]:
    """Biased and unbiased estimate of the squared discrepancy of x (n, d) and y (m, d), n and m ≥ 2; sigma > 0.

    >>> [round(found, 10) for found in mmd(np.array([[0.0], [1.0]]), np.array([[2.0], [3.0]]), 1.0)]
    [1.1623755484, 0.7689062081]
    """
    both = np.concatenate([x, y])
    gram, is_first = _gram(both, sigma), np.arange(len(both)) < len(x)
    weights = np.where(is_first, 1.0 / len(x), -1.0 / len(y))
    return float(weights @ gram @ weights), float(_unbiased(gram, is_first[None, :])[0])


def permuted(x: Floats, y: Floats, sigma: float, permutations: int, seed: int) -> tuple[float, float]:
    """The unbiased estimate, and the share of random divisions of all rows, this one among them, that are as far apart.

    x, y, sigma: as in `mmd`; permutations: at most. Equal seeds give equal values.
    """
    both, rng = np.concatenate([x, y]), np.random.default_rng(seed)
    gram, is_first = _gram(both, sigma), np.arange(len(both)) < len(x)
    found = float(_unbiased(gram, is_first[None, :])[0])
    as_far, done = 1, 1
    while done <= permutations and as_far < ENOUGH:
        divisions = rng.permuted(np.tile(is_first, (min(permutations + 1 - done, AT_ONCE), 1)), axis=1)
        as_far += int((_unbiased(gram, divisions) >= found).sum())
        done += len(divisions)
    return found, as_far / done


def _gram(rows: Floats, sigma: float) -> Floats:
    return np.exp(distances(rows, rows) / (-2.0 * sigma * sigma))


def _unbiased(gram: Floats, is_first: np.ndarray) -> Floats:
    """(k,) estimates for k divisions of the rows. gram: (n, n) with ones on its diagonal; is_first: (k, n) bool."""
    first = is_first.astype(np.float64)
    n, m = first[0].sum(), (1.0 - first[0]).sum()
    within = first @ gram
    inside = (within * first).sum(axis=1)
    across = within.sum(axis=1) - inside
    outside = gram.sum() - inside - 2.0 * across
    return (inside - n) / (n * (n - 1.0)) + (outside - m) / (m * (m - 1.0)) - 2.0 * across / (n * m)
