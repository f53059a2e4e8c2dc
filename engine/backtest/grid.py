"""What a backtest sweeps: models × windows × refit frequencies × policies, over origins on the wall clock.

Time is an integer: the number of an hour since 1970-01-01 00:00 UTC. Value k of a series covers [k, k + 1). An origin o
is the instant at which hour o begins: hours before o may be used, step j forecasts hour o + j − 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

EXPANDING_H = 0
"""In arrays of window lengths: a window that begins with the series, in settings None."""


class Policy(StrEnum):
    """What serves the origins between two fits."""

    UPDATE = "update"
    """The fit's parameters stay, its states see everything up to the origin."""
    STALE = "stale"
    """The forecast made at the fit's cutoff, its rows shifted."""


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One model of a sweep: its name in the tables, an entry point or package.module:Name, and its parameters."""

    name: str
    reference: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Grid:
    """The whole sweep. Hours, unless named otherwise. `phase_h` puts all cutoffs on the wall clock: (c − phase) mod
    refit = 0. `evaluate_h`: origins lie in the last so many hours of each series, all where None. `select_h` and
    `anchor_h`: cadence of choosing a form, and of the cold fits from which others start. `evaluations`: an optimiser's
    bound a fit."""

    models: tuple[ModelSpec, ...]
    windows_h: tuple[int | None, ...] = (72, 168, 336)
    refits_h: tuple[int, ...] = (1, 2, 6, 24)
    policies: tuple[Policy, ...] = (Policy.UPDATE,)
    horizon_h: int = 24
    every_h: int = 1
    evaluate_h: int | None = 168
    phase_h: int = 0
    select_h: int = 24
    anchor_h: int = 24
    season_h: int = 24
    evaluations: int = 200
    keep_params: str = "anchors"
    """Whose parameters are stored: `all`, `anchors` (the daily cold fits) or `none`."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """One way to forecast, as it could be put into production."""

    model: str
    window_h: int | None
    refit_h: int
    policy: Policy
