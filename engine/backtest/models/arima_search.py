"""The stepwise search for an ARIMA order, on exact likelihoods: every candidate is estimated by our own code.

Hyndman and Khandakar (2008, doi:10.18637/jss.v027.i03): seasonal difference by the strength of the season, others by
KPSS tests, then from four orders to better neighbours until there is none, by Akaike's corrected criterion.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from engine.backtest.contract import FitError, Floats
from engine.backtest.models.arima import Order, cold_start, differenced
from kernels.arima import maximise
from kernels.stl import stl

MOST_DIFFERENCES = 2  # in all, as in `Order`
STRENGTH = 0.64  # of the season, from which it is differenced (Wang, Smith and Hyndman 2006)
UNSTABLE = 0.99  # partial autocorrelation from which a factor counts as another difference
KPSS_5 = 0.463
MOST = (5, 5, 2, 2)
"""Highest p, q, P, Q."""


def search(y: Floats, season: int, evaluations: int, orders: int) -> Order:
    """The order with the least criterion; at most `orders` are tried, each with `evaluations` of the likelihood.

    Raises FitError where none of them can be estimated."""
    seasonal_d = int(season > 1 and strength(y, season) > STRENGTH)
    w = y[season:] - y[:-season] if seasonal_d else y
    d = min(differences(w), MOST_DIFFERENCES - seasonal_d)
    tried: dict[Order, float] = {}

    def better(candidates: Iterator[Order], best: Order | None) -> Order | None:
        for order in candidates:
            if order not in tried and len(tried) < orders:
                tried[order] = criterion(y, order, evaluations)
                if np.isfinite(tried[order]) and (best is None or tried[order] < tried[best]):
                    return order
        return best

    def make(p: int, q: int, seasonal_p: int, seasonal_q: int, constant: bool) -> Order:
        some = bool(seasonal_p or seasonal_q or seasonal_d)
        return Order(p, d, q, seasonal_p, seasonal_d, seasonal_q, season if some else 1, constant)

    allowed, m = d + seasonal_d < 2, int(season > 1)
    first = [make(2, 2, m, m, allowed), make(0, 0, 0, 0, allowed), make(1, 0, m, 0, allowed), make(0, 1, 0, m, allowed)]
    best: Order | None = None
    for order in [*first, make(0, 0, 0, 0, False)]:
        best = better(iter([order]), best)
    while best is not None:
        steps = _neighbours(best, season > 1, allowed)
        found = better((make(*step) for step in steps), best)
        if found == best:
            return best
        best = found
    raise FitError("the search found no ARIMA order")


def strength(y: Floats, season: int) -> float:
    """Of the season, 0 … 1: how much of the variance about the trend it explains. 0 for less than two seasons."""
    if y.size < 2 * season:
        return 0.0
    seasonal, trend = stl(np.ascontiguousarray(y), season)
    whole = float(np.var(y - trend))
    return max(0.0, 1.0 - float(np.var(y - trend - seasonal)) / whole) if whole > 0 else 0.0


def differences(w: Floats) -> int:
    """How often w is differenced, 0 … 2, until a KPSS test (Kwiatkowski et al. 1992) of its level passes at 5 %."""
    for d in range(2):
        e = w - np.mean(w)
        lags = int(3 * np.sqrt(w.size) / 13)
        spread = e @ e + 2 * sum((1 - lag / (lags + 1)) * (e[lag:] @ e[:-lag]) for lag in range(1, lags + 1))
        if not np.sum(np.cumsum(e) ** 2) > KPSS_5 * w.size * spread:
            return d
        w = np.diff(w)
    return 2


def criterion(y: Floats, order: Order, evaluations: int) -> float:
    """Akaike's corrected criterion, inf where the order cannot be estimated or is nearly one of more differences."""
    w = differenced(y, order)
    k = order.free + order.constant + 1
    if w.size < k + 3:
        return np.inf
    raw, value, _ = maximise(cold_start(w, order), order.lags, order.season, w, order.constant, evaluations)
    ar = np.concatenate([raw[: order.p], raw[order.p + order.q : order.p + order.q + order.seasonal_p]])
    if not np.isfinite(value) or np.any(np.abs(np.tanh(ar)) > UNSTABLE):
        return np.inf
    return float(w.size * (2 * value + np.log(2 * np.pi) + 1) + 2 * k + 2 * k * (k + 1) / (w.size - k - 1))


def _neighbours(order: Order, seasonal: bool, constants: bool) -> Iterator[tuple[int, int, int, int, bool]]:
    """p, q, P, Q and constant one step away, the seasonal ones first."""
    here = np.array([order.p, order.q, order.seasonal_p, order.seasonal_q])
    moves = [(-1, 0), (0, -1), (1, 0), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1)]
    both = [(0, 0, *move) for move in moves] if seasonal else []
    for move in [*both, *((*move, 0, 0) for move in moves)]:
        there = here + move
        if np.all(there >= 0) and np.all(there <= MOST):
            p, q, seasonal_p, seasonal_q = there.tolist()
            yield p, q, seasonal_p, seasonal_q, order.constant
    if constants:
        yield order.p, order.q, order.seasonal_p, order.seasonal_q, not order.constant
