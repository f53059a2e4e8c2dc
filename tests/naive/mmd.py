"""Maximum mean discrepancy, slowly: pair by pair."""

from __future__ import annotations

import math
import statistics


def bandwidth(reference):  # type: ignore[no-untyped-def]
    n = len(reference)
    return statistics.median(math.dist(reference[i], reference[j]) for i in range(n) for j in range(i))


def mmd(x, y, sigma):  # type: ignore[no-untyped-def]
    n, m = len(x), len(y)
    across = _sum(x, y, sigma) / (n * m)
    biased = _sum(x, x, sigma) / n**2 + _sum(y, y, sigma) / m**2 - 2 * across
    unbiased = (_sum(x, x, sigma) - n) / (n * (n - 1)) + (_sum(y, y, sigma) - m) / (m * (m - 1)) - 2 * across
    return biased, unbiased


def _sum(x, y, sigma):  # type: ignore[no-untyped-def]
    return sum(math.exp(-(math.dist(a, b) ** 2) / (2 * sigma**2)) for a in x for b in y)
