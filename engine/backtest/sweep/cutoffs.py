"""When fits happen and what they serve, on the wall clock: nothing here counts from a series' first or last row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.backtest.contract import Ints
from engine.backtest.grid import Configuration, Grid, Policy


@dataclass(frozen=True, slots=True)
class Demand:
    """What the configurations of a model ask of a series, whatever its windows; (m,) int64 hours each.

    A row says: the fit at `cutoff` forecasts at `origin`, for the configurations' origins up to `latest` (later than
    `origin` under the policy `stale` only).
    """

    cutoff: Ints
    origin: Ints
    latest: Ints

    def at(self, rows: NDArray[np.bool_]) -> Demand:
        """Some of them."""
        return Demand(self.cutoff[rows], self.origin[rows], self.latest[rows])


def last_cutoff(hours: Ints, every_h: int, phase_h: int) -> Ints:
    """The last cutoff at or before each hour: (c − phase) mod every = 0.

    >>> last_cutoff(np.array([23, 24, 25, 31]), 6, 1).tolist()
    [19, 19, 25, 31]
    """
    return np.asarray(hours - (hours - phase_h) % every_h)


def offered(updates: bool, refit_h: int, policy: Policy) -> bool:
    """Whether a model can take part: where it has no update, a policy `update` needs a fit at every hour."""
    return updates or policy is Policy.STALE or refit_h == 1


def configurations(grid: Grid, name: str, updates: bool) -> tuple[Configuration, ...]:
    """All that is offered to one model, by window, refit and policy."""
    return tuple(
        Configuration(name, window, refit, policy)
        for window in grid.windows_h
        for refit in grid.refits_h
        for policy in grid.policies
        if offered(updates, refit, policy)
    )


def demand(grid: Grid, updates: bool, origins: Ints) -> Demand:
    """What each configuration asks at each origin, (n,) int64 hours: a row for each refit, policy and origin."""
    none = np.zeros(0, np.int64)
    cutoffs, at, latest = [none], [none], [none]
    for refit in grid.refits_h:
        last = last_cutoff(origins, refit, grid.phase_h)
        for policy in grid.policies:
            if offered(updates, refit, policy):
                cutoffs.append(last)
                at.append(last if policy is Policy.STALE else origins)
                latest.append(origins)
    return Demand(np.concatenate(cutoffs), np.concatenate(at), np.concatenate(latest))


def distinct(asked: Demand) -> Demand:
    """Each forecast once, by cutoff, then origin; `latest` is the last of all that it serves."""
    order = np.lexsort((asked.latest, asked.origin, asked.cutoff))
    cutoff, origin = asked.cutoff[order], asked.origin[order]
    last = np.ones(cutoff.size, np.bool_)
    last[:-1] = (cutoff[1:] != cutoff[:-1]) | (origin[1:] != origin[:-1])
    return Demand(cutoff[last], origin[last], asked.latest[order[last]])
