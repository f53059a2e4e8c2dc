"""Every configuration against every other: which differences are more than chance, corrected for how many there are."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.backtest.scores.diebold_mariano import diebold_mariano, paired
from engine.backtest.scores.table import CONFIGURATION
from engine.backtest.scores.users import Users
from kernels.holm import holm

Floats = NDArray[np.float64]


def over_users(users: Users) -> tuple[Floats, Floats]:
    """p and Holm's p over all pairs, (k, k) each, symmetric, NaN on the diagonal: do users' MASEs differ?"""
    mase = users.mase
    k = mase.shape[1]
    p = [paired(mase[:, [a]] - mase[:, a + 1 :]) for a in range(k)]
    return _matrices(k, np.concatenate([np.zeros(0), *p]))


def over_origins(losses: Floats, horizon: int) -> tuple[Floats, Floats, Floats]:
    """Diebold–Mariano statistics (row loses more: > 0), p, and Holm's p over all pairs; (k, k) each.

    losses: (n, k) mean loss at n successive origins.
    """
    k = losses.shape[1]
    found = [diebold_mariano(losses[:, a], losses[:, b], horizon) for a, b in _pairs(k)]
    statistic = np.full((k, k), np.nan)
    for (a, b), one in zip(_pairs(k), found, strict=True):
        statistic[a, b], statistic[b, a] = one.statistic, -one.statistic
    p, corrected = _matrices(k, [one.p for one in found])
    return statistic, p, corrected


def losses(origins: pl.LazyFrame, configurations: pl.DataFrame, scaled: bool) -> Floats:
    """(n, k) mean loss at each distance from the series' ends, oldest first, of `ORIGIN_SUMS` rows.

    scaled: errors over the MASE denominator, to put several vitals together. NaN where a configuration has nothing.
    """
    above, below = ("scaled_abs", "n_scaled") if scaled else ("abs_error", "n")
    added = origins.group_by(*CONFIGURATION, "back_h").agg(pl.col(above, below).sum()).collect()
    numbered = configurations.select(CONFIGURATION).with_row_index("column")
    added = added.join(numbered, on=CONFIGURATION, how="inner", nulls_equal=True).filter(pl.col(below) > 0)
    backs = added["back_h"].unique().sort(descending=True)
    found = np.full((len(backs), len(configurations)), np.nan)
    row = len(backs) - 1 - backs.reverse().search_sorted(added["back_h"]).to_numpy().astype(np.int64)
    found[row, added["column"].to_numpy()] = (added[above] / added[below]).to_numpy()
    return found


def _pairs(k: int) -> Sequence[tuple[int, int]]:
    return list(combinations(range(k), 2))


def _matrices(k: int, p: Sequence[float] | Floats) -> tuple[Floats, Floats]:
    plain, corrected = np.full((k, k), np.nan), np.full((k, k), np.nan)
    for (a, b), one, other in zip(_pairs(k), p, holm(np.array(p, np.float64)), strict=True):
        plain[a, b] = plain[b, a] = one
        corrected[a, b] = corrected[b, a] = other
    return plain, corrected
