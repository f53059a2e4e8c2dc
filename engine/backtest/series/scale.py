"""Denominators of MASE and RMSSE at every origin, by prefix sums over what was observed (DOMAIN H4).

Hyndman & Koehler 2006, doi:10.1016/j.ijforecast.2006.03.001.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.backtest.contract import Floats, Ints
from engine.backtest.series.asof import State

LEAST_DIFFERENCES = 24


@dataclass(frozen=True, slots=True)
class Scales:
    """(k,) each. n: differences between observed hours `season` apart. mase: mean |y_t − y_(t−m)|. rmsse: root of the
    mean square of the same. NaN where undefined: fewer than 24 differences, or all of them 0."""

    n: Ints
    mase: Floats
    rmsse: Floats


def scales(states: Sequence[State], season_h: int) -> Scales:
    """Denominators at every instant of `states` from all that was known there, whatever the window: one for every
    configuration. Filled hours take no part."""
    parts = [_scales(state, season_h) for state in states]
    return Scales(
        np.concatenate([np.empty(0, np.int64), *(part.n for part in parts)]),
        np.concatenate([np.empty(0), *(part.mase for part in parts)]),
        np.concatenate([np.empty(0), *(part.rmsse for part in parts)]),
    )


def _scales(state: State, season_h: int) -> Scales:
    values = state.known.values
    distance = np.abs(values[season_h:] - values[:-season_h]) if len(values) > season_h else np.empty(0)
    pairs = np.isfinite(distance)
    distance = np.where(pairs, distance, 0.0)
    # distance[i] is known once hour i + season_h has ended.
    upto = np.clip(state.at - state.known.start - season_h, 0, len(distance))
    n = np.concatenate([[0], np.cumsum(pairs)])[upto]
    total = np.concatenate([[0.0], np.cumsum(distance)])[upto]
    squares = np.concatenate([[0.0], np.cumsum(distance * distance)])[upto]
    defined = (n >= LEAST_DIFFERENCES) & (total > 0.0)
    n_or_1 = np.maximum(n, 1)
    return Scales(n, np.where(defined, total / n_or_1, np.nan), np.where(defined, np.sqrt(squares / n_or_1), np.nan))
