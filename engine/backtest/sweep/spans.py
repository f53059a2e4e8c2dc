"""Cutting a model's fits over a series into spans of days, each a unit of work: at anchors only, near an aim."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engine.backtest.contract import Floats
from engine.backtest.grid import Grid
from engine.backtest.sweep.requests import Request, Span, period_h

AIM_S = 10.0
"""Predicted CPU seconds of a span: what a killed worker loses, at most."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One span: how many fits it tries and refuses, and its predicted CPU seconds."""

    span: Span
    tried: int
    refused: int
    predicted_s: float


def spans(request: Request, costs_s: Floats, grid: Grid, selects: bool, aim_s: float = AIM_S) -> Iterator[Planned]:
    """The spans of one series and model, oldest first, of about equal cost.

    `request` is that of the whole series, costs_s: (fits tried,) predicted seconds. Every fit lies in exactly one span,
    together with its anchor and the fit that chooses its form, since those lie in the same period.
    """
    if not request.cutoff.size:
        return
    period = period_h(grid, selects)
    number = (request.cutoff - grid.phase_h) // period
    first, last = int(number.min()), int(number.max())
    size = last - first + 1
    cost = np.asarray(np.bincount(number[request.tried] - first, costs_s, size), np.float64)
    fits, tried = (
        np.bincount(number - first, minlength=size),
        np.bincount(number[request.tried] - first, minlength=size),
    )
    begin = 0
    for end in _ends(cost, aim_s):
        span = Span(grid.phase_h + (first + begin) * period, grid.phase_h + (first + end) * period)
        done = int(tried[begin:end].sum())
        yield Planned(span, done, int(fits[begin:end].sum()) - done, float(cost[begin:end].sum()))
        begin = end


def _ends(cost: Floats, aim_s: float) -> list[int]:
    """Where to cut: as few pieces as the aim wants, each ending where the running sum is nearest to its share."""
    total = np.cumsum(cost)
    pieces = min(max(round(float(total[-1]) / aim_s), 1), cost.size)
    shares = total[-1] * np.arange(1, pieces) / pieces
    ends = {int(np.argmin(np.abs(total - share))) + 1 for share in shares.tolist()}
    return sorted(ends | {cost.size})
