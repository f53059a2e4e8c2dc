"""Bootstrap over users: rows of one user are not independent, users are.

Everything here is a ratio of sums over users, so that a resample is a weighted sum; equal seeds give equal bits.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
DRAWS = 1000
SEED = 20170101


def ratio_draws(above: Floats, below: Floats, draws: int = DRAWS, seed: int = SEED) -> Floats:
    """(draws, k) resampled Σ above / Σ below. above, below: (users, k), zeros where a user has nothing."""
    found = np.empty((draws, above.shape[1]))
    for i, weights in enumerate(_weights(len(above), draws, seed)):
        found[i] = _ratio(weights @ above, weights @ below)
    return found


def interval(draws: Floats) -> tuple[Floats, Floats]:
    """(k,) the ends of the middle 95 % of (draws, k); NaN draws are left out, NaN where there are no others."""
    ends = np.full((2, draws.shape[1]), np.nan)
    for j, column in enumerate(draws.T):
        known = column[np.isfinite(column)]
        if known.size:
            ends[:, j] = np.quantile(known, [(1 - 0.95) / 2, (1 + 0.95) / 2])
    return ends[0], ends[1]


def best_unseen(above: Floats, below: Floats, draws: int = DRAWS, seed: int = SEED) -> float:
    """Error of *choosing the best* of k configurations: chosen on a resample, judged on the users that it left out.

    The least of many measured errors is too good to be true; this is what to expect of it on new users like these: the
    least error, times how much worse the chosen one did on users left out than the one that is best on all. NaN for a
    single user.
    """
    whole = _ratio(above.sum(axis=0), below.sum(axis=0))
    if len(above) < 2 or not np.isfinite(whole).any():
        return np.nan
    best, found = int(np.nanargmin(whole)), []
    for weights in _weights(len(above), draws, seed):
        seen, out = _ratio(weights @ above, weights @ below), weights == 0
        if out.any() and np.isfinite(seen).any():
            pair = [int(np.nanargmin(seen)), best]
            found.append(_ratio(above[out][:, pair].sum(axis=0), below[out][:, pair].sum(axis=0)))
    both = np.array(found).reshape(-1, 2)
    chosen, always = both[np.isfinite(both).all(axis=1)].sum(axis=0)
    return float(whole[best] * chosen / always) if always > 0 else np.nan


def _weights(users: int, draws: int, seed: int) -> Iterator[Floats]:
    """How often each user is drawn, (users,), a resample after another."""
    random = np.random.default_rng(seed)
    for _ in range(draws):
        yield np.bincount(random.integers(0, users, users), minlength=users).astype(np.float64)


def _ratio(above: Floats | np.float64, below: Floats | np.float64) -> Floats:
    return np.divide(above, below, out=np.full(np.shape(above), np.nan), where=np.asarray(below) > 0)
