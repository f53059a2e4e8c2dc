"""Instants on the wall clock, and whether enough is known at them (BACKTEST 5, DOMAIN H4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.backtest.contract import History, Ints
from engine.backtest.grid import Grid
from engine.backtest.series.asof import Known, State

RECENT_H = 48
STALE_H = 6
LEAST_HOURS = 6
SHORT_HOURS = 24
SEASONAL_SPAN_H = 72
SEASONAL_COVERAGE = 0.6


class OriginStatus(StrEnum):
    """The fate of an origin, the same for all models."""

    OK = "ok"
    SKIPPED_MISSING = "skipped_missing"
    """No observed hour among the last 48."""
    NO_HISTORY = "no_history"
    """Fewer than six observed hours since the last gap of more than a day."""
    STALE_DATA = "stale_data"
    """The last observed hour ended more than six hours ago."""


STATUSES = tuple(OriginStatus)
"""`Judged.code` counts along these."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What is known at some instants; (k,) each. at: hour numbers. n_recent: observed hours of the last 48. n_observed,
    span_h: observed and all hours of the as-of segment. lead_h: hours since the newest one's end (−1: there is none).
    code: int8, index into `STATUSES`."""

    at: Ints
    n_recent: Ints
    n_observed: Ints
    span_h: Ints
    lead_h: Ints
    code: NDArray[np.int8]

    @property
    def ok(self) -> NDArray[np.bool_]:
        result: NDArray[np.bool_] = self.code == STATUSES.index(OriginStatus.OK)
        return result

    @property
    def status(self) -> list[OriginStatus]:
        return [STATUSES[code] for code in self.code.tolist()]

    def enough(self, history: History) -> NDArray[np.bool_]:
        """(k,) bool: the as-of series has the minimum history that a model asks for."""
        if history is History.SHORT:
            return self.n_recent >= SHORT_HOURS
        if history is History.SEASONAL:
            return (self.span_h >= SEASONAL_SPAN_H) & (self.n_observed >= SEASONAL_COVERAGE * self.span_h)
        return self.n_observed > 0


def origins(start: int, end: int, grid: Grid) -> Ints:
    """Origins of a series whose hours are start … end − 1: each has an hour before it and one to forecast, and lies on
    the wall clock, (o − phase) mod every = 0, whatever the series' ends are.

    >>> origins(100, 110, Grid((), every_h=4, evaluate_h=None)).tolist()
    [104, 108]
    """
    first = start + 1 if grid.evaluate_h is None else max(start + 1, end - grid.evaluate_h)
    first += (grid.phase_h - first) % grid.every_h
    return np.arange(first, end, grid.every_h, dtype=np.int64)


def judge(states: Sequence[State]) -> Judged:
    """What is known at every instant of `states`, in their order: at origins, or at cutoffs of fits."""
    parts = [_judged(state.known, state.at) for state in states]

    def joined(name: str, kind: type) -> NDArray[Any]:
        return np.concatenate([np.empty(0, kind), *(getattr(part, name) for part in parts)])

    hours = [joined(name, np.int64) for name in ("at", "n_recent", "n_observed", "span_h", "lead_h")]
    return Judged(hours[0], hours[1], hours[2], hours[3], hours[4], joined("code", np.int8))


def _judged(known: Known, instants: Ints) -> Judged:
    n = len(known.values)
    observed = np.concatenate([[0], np.cumsum(np.isfinite(known.values))])
    number, span = known.positions(instants)
    found = span >= 0
    starts = np.array([segment.start for segment in known.segments] or [known.start], np.int64)
    begin = starts[number]  # means nothing where nothing was found
    upto = np.clip(instants - known.start, 0, n)
    n_observed = np.where(found, observed[upto] - observed[begin - known.start], 0)
    lead = np.where(found, instants - begin - span, -1)
    n_recent = observed[upto] - observed[np.clip(instants - RECENT_H - known.start, 0, n)]
    code = np.full(len(instants), STATUSES.index(OriginStatus.OK), np.int8)
    code[lead > STALE_H] = STATUSES.index(OriginStatus.STALE_DATA)
    code[n_recent == 0] = STATUSES.index(OriginStatus.SKIPPED_MISSING)
    code[n_observed < LEAST_HOURS] = STATUSES.index(OriginStatus.NO_HISTORY)
    return Judged(instants, n_recent, n_observed, np.where(found, span, 0), lead, code)
