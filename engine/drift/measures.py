"""Two samples side by side: how far apart, how surely, and whether somebody should act.

A measure has a size beside its p value: among many nights a difference that nobody would care about is certain, too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from kernels.arrays import Flags, Floats
from kernels.mmd import bandwidth, permuted
from kernels.psi import inner_edges, psi, shares

LEAST, LEAST_PSI = 30, 500
"""Nights in each sample: with fewer than the first nothing is said, than the second PSI is mostly noise."""
PSI, KS, SHARE, MMD = "psi", "ks", "share", "mmd"
PAGE_HINKLEY, ADWIN = "page_hinkley", "adwin"
STABLE, WATCH, ACT = "stable", "watch", "act"
LIMITS = {
    PSI: (0.1, 0.25),
    KS: (0.05, 0.1),
    SHARE: (0.1, 0.2),
    MMD: (0.0, 0.0),
    PAGE_HINKLEY: (1.0, 1.0),
    ADWIN: (1.0, 1.0),
}
"""From where on to watch, and to act. 0.2 is what Cohen calls a small effect of shares: 10 % become 17 %. MMD goes by
its p value alone; the last two tell an alarm as 1."""
MOST_P = 0.01
CORRECTED = (KS, SHARE)
"""Tests of many columns at once, whose p values are corrected by Holm."""

_MOST_EXACT = 500
PERMUTATIONS, SEED = 500, 20070401
MOST_VALUES, MOST_ROWS = 10_000, 500
"""Drawn from a larger sample for Kolmogorov–Smirnov, and for MMD."""


@dataclass(frozen=True, slots=True)
class Measured:
    """reference, now: the median, or share, in each sample. missing: share of the tested nights without a value. p: NaN
    where the test has none."""

    test: str
    statistic: float
    p: float = math.nan
    reference: float = math.nan
    now: float = math.nan
    missing: float = math.nan


def level(test: str, statistic: float, p: float) -> str:
    """p: corrected; NaN = the statistic alone decides.

    >>> level("psi", 0.2, math.nan), level("ks", 0.3, 0.02), level("ks", 0.3, 0.002)
    ('watch', 'stable', 'act')
    """
    watch, act = LIMITS[test]
    if p >= MOST_P or statistic < watch:
        return STABLE
    return ACT if statistic >= act else WATCH


def of_values(reference: Floats, now: Floats) -> tuple[Measured, ...]:
    """Of one feature, NaN = missing: by Kolmogorov–Smirnov and, where both samples are large, PSI. Of few none."""
    known = reference[~np.isnan(reference)], now[~np.isnan(now)]
    if min(map(len, known)) < LEAST:
        return ()
    there = float(np.median(known[0])), float(np.median(known[1])), 1 - len(known[1]) / len(now)
    by_ks = Measured(KS, *ks(*(_drawn(one, MOST_VALUES, SEED) for one in known)), *there)
    if min(len(reference), len(now)) < LEAST_PSI:
        return (by_ks,)
    edges = inner_edges(reference)
    return Measured(PSI, psi(shares(reference, edges), shares(now, edges)), math.nan, *there), by_ks


def ks(reference: Floats, now: Floats) -> tuple[float, float]:
    """Largest distance of the two distribution functions, and its two-sided p value; no value is missing.

    >>> [round(found, 10) for found in ks(np.array([1.0, 2.0, 3.0, 4.0]), np.array([3.0, 4.0, 5.0, 6.0]))]
    [0.5, 0.7714285714]
    """
    from scipy.stats import ks_2samp  # here: the first import takes half a second

    method = "exact" if max(len(reference), len(now)) <= _MOST_EXACT else "asymp"
    found = ks_2samp(reference, now, method=method)
    return float(found.statistic), float(found.pvalue)


def of_shares(reference: Flags, now: Flags) -> Measured:
    """Of what nights have or have not: Cohen's h = 2 |arcsin √p₁ − arcsin √p₂|, of variance 1/n + 1/m if alike.

    >>> found = of_shares(np.arange(1000) < 100, np.arange(500) < 100)
    >>> round(found.statistic, 4), f"{found.p:.1e}"
    (0.2838, '2.2e-07')
    """
    shares = float(reference.mean()), float(now.mean())
    h = abs(2 * (math.asin(math.sqrt(shares[0])) - math.asin(math.sqrt(shares[1]))))
    return Measured(SHARE, h, math.erfc(h / math.sqrt(2 * (1 / len(reference) + 1 / len(now)))), *shares)


def of_mix(reference: Floats, now: Floats) -> tuple[Measured, ...]:
    """Of counts of some kinds: PSI. Of few none."""
    if min(reference.sum(), now.sum()) < LEAST_PSI:
        return ()
    return (Measured(PSI, psi(reference / reference.sum(), now / now.sum())),)


def of_vectors(reference: Floats, now: Floats, seed: int) -> tuple[Measured, ...]:
    """Of several features together: MMD with permutations of random rows. Of few, or where nothing varies, none.

    reference, now: (n, d), (m, d) float64; a row with a NaN is left out. Columns are taken in the reference's median
    absolute deviations. seed: another one draws other rows, so that two windows do not share the chance of one draw.
    """
    whole = [one[~np.isnan(one).any(axis=1)] for one in (reference, now)]
    if min(map(len, whole)) < LEAST:
        return ()
    spread = np.median(np.abs(whole[0] - np.median(whole[0], axis=0)), axis=0)
    x, y = (_drawn(one, MOST_ROWS, seed)[:, spread > 0] / spread[spread > 0] for one in whole)
    sigma = bandwidth(x)
    return (Measured(MMD, *permuted(x, y, sigma, PERMUTATIONS, seed)),) if sigma > 0 else ()


def _drawn(rows: Floats, most: int, seed: int) -> Floats:
    """At most so many rows, drawn without replacement; the same ones each time."""
    return rows if len(rows) <= most else rows[np.random.default_rng(seed).choice(len(rows), most, replace=False)]
