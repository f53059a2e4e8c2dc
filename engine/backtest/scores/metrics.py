"""The metrics of forecasts, as they are defined (BACKTEST 7): plain, on whole arrays; e = y − f.

`kernels/scores.py` adds up the same for millions of rows. All take float64 of one shape, finite, and give NaN where
there is nothing, or where the metric is undefined.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
ALPHA = 0.2
"""Of the interval from q10 to q90."""


def mae(y: ArrayLike, f: ArrayLike) -> float:
    """Mean |e|."""
    return _mean(np.abs(_error(y, f)))


def rmse(y: ArrayLike, f: ArrayLike) -> float:
    """Root of the mean e²."""
    return float(np.sqrt(_mean(_error(y, f) ** 2)))


def bias(y: ArrayLike, f: ArrayLike) -> float:
    """Mean e: positive where the forecast is too low."""
    return _mean(_error(y, f))


def mape(y: ArrayLike, f: ArrayLike) -> float:
    """Mean 100 |e| / |y|, %; NaN where any y is 0."""
    actual = np.abs(np.asarray(y, np.float64))
    return _mean(100 * np.abs(_error(y, f)) / actual) if actual.all() else np.nan


def smape(y: ArrayLike, f: ArrayLike) -> float:
    """Mean 200 |e| / (|y| + |f|), %, 0 where both are 0: the scale of the M4 competition.

    Makridakis et al. 2020, doi:10.1016/j.ijforecast.2019.04.014.
    """
    size = np.abs(np.asarray(y, np.float64)) + np.abs(np.asarray(f, np.float64))
    return _mean(200 * np.abs(_error(y, f)) / np.where(size == 0, 1, size))


def seasonal_scale(history: ArrayLike, season: int) -> float:
    """MASE's denominator, mean |y_t − y_(t−season)| of the history; Hyndman & Koehler 2006,
    doi:10.1016/j.ijforecast.2006.03.001."""
    values = np.asarray(history, np.float64)
    return _mean(np.abs(values[season:] - values[:-season]))


def mase(y: ArrayLike, f: ArrayLike, scale: float) -> float:
    """MAE / scale; undefined where scale is 0."""
    return mae(y, f) / scale if scale > 0 else np.nan


def rmsse(y: ArrayLike, f: ArrayLike, scale_square: float) -> float:
    """Root of mean e² / scale_square, the mean (y_t − y_(t−season))² of the history; undefined where that is 0."""
    return float(np.sqrt(_mean(_error(y, f) ** 2) / scale_square)) if scale_square > 0 else np.nan


def pinball(y: ArrayLike, q: ArrayLike, level: float) -> float:
    """Mean of max(level · e, (level − 1) · e), e from the quantile `q` of that level."""
    e = _error(y, q)
    return _mean(np.maximum(level * e, (level - 1) * e))


def wql(y: ArrayLike, quantiles: dict[float, ArrayLike]) -> float:
    """2 Σ pinball / Σ |y|, mean over the levels; NaN where all y are 0."""
    size = np.abs(np.asarray(y, np.float64)).sum()
    losses = [pinball(y, q, level) * np.size(y) for level, q in quantiles.items()]
    return float(2 * np.mean(losses) / size) if size > 0 else np.nan


def interval_score(y: ArrayLike, low: ArrayLike, high: ArrayLike, alpha: float = ALPHA) -> float:
    """Mean (u − l) + 2/α (l − y)⁺ + 2/α (y − u)⁺; Gneiting & Raftery 2007, doi:10.1198/016214506000001437."""
    actual, l, u = (np.asarray(one, np.float64) for one in (y, low, high))  # noqa: E741
    return _mean(u - l + 2 / alpha * np.maximum(l - actual, 0) + 2 / alpha * np.maximum(actual - u, 0))


def wis(y: ArrayLike, median: ArrayLike, intervals: dict[float, tuple[ArrayLike, ArrayLike]]) -> float:
    """Weighted interval score: (½ |y − median| + Σ α/2 · IS_α) / (K + ½) over K intervals {α: (low, high)}.

    Bracher et al. 2021, doi:10.1371/journal.pcbi.1008618.
    """
    weighted = [alpha / 2 * interval_score(y, low, high, alpha) for alpha, (low, high) in intervals.items()]
    return (mae(y, median) / 2 + sum(weighted)) / (len(intervals) + 0.5)


def coverage(y: ArrayLike, low: ArrayLike, high: ArrayLike) -> float:
    """Share of low ≤ y ≤ high."""
    actual = np.asarray(y, np.float64)
    return _mean(((actual >= np.asarray(low)) & (actual <= np.asarray(high))).astype(np.float64))


def _error(y: ArrayLike, f: ArrayLike) -> Floats:
    return np.asarray(y, np.float64) - np.asarray(f, np.float64)


def _mean(values: Floats) -> float:
    return float(values.mean()) if values.size else np.nan
