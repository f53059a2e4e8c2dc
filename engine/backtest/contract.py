"""The contract of a forecasting model: what one must do to take part in a backtest.

A model is a frozen dataclass whose fields are its parameters; there is no base class. It sees one gapless hourly array
and no clock, name or neighbour, and what it learns is JSON, so that a fit can be stored, read and used again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Params = Mapping[str, Any]
"""JSON values only (numbers finite, floats as Python floats, lists, texts); everything that `predict` needs."""

COLD = -1
"""In `Fits.anchor` and `Fits.chosen`: no such fit."""


class History(StrEnum):
    """How much of the as-of series a model wants (DOMAIN H4), judged on the series, not on the window."""

    ANY = "any"
    """A value for each phase asked for."""
    SHORT = "short"
    """24 valid hours of the last 48."""
    SEASONAL = "seasonal"
    """72 hours with coverage of 60 % or more."""


class FitError(Exception):
    """A model could not be fitted, for a reason in one sentence. Any other exception of a model is caught as well."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a fit learned. `evaluations`: of the objective function, 0 where a model has none."""

    params: Params
    evaluations: int = 0


@dataclass(frozen=True, slots=True)
class Paths:
    """Forecasts of one fit, a row for each origin. All (origins, steps) float64; low and high are the 10 % and 90 %
    quantiles, None where the model has none of its own, a row of NaN where that fit has none. Column j is the hour that
    follows j hours after the newest observation that the row has seen."""

    mean: Floats
    low: Floats | None = None
    high: Floats | None = None


@runtime_checkable
class Model(Protocol):
    """One forecasting model with its parameters."""

    @property
    def name(self) -> str:
        """As in the `model` column."""

    @property
    def history(self) -> History: ...

    @property
    def shortest(self) -> int:
        """Fewest hours of a training slice."""

    @property
    def updates(self) -> bool:
        """Whether `predict` can take in observations that came after the fit."""

    @property
    def selects(self) -> bool:
        """Whether the model has forms to choose from (orders, components) at a cadence of its own."""

    def select(self, y: Floats, evaluations: int) -> str:
        """The form for later fits. `y` as in `fit`. Not called unless `selects`."""

    def fit(self, y: Floats, form: str, warm: Params | None, evaluations: int) -> Fitted:
        """Learn from `y`: (n,) float64, hourly, oldest first, finite, n ≥ `shortest`, not constant.

        `form` is what `select` said ("" unless `selects`). `warm` are the parameters of an earlier fit to start the
        optimiser from, or None; `evaluations` bounds the objective's evaluations. Same arguments, same bits. Raises
        `FitError`, or anything.
        """

    def predict(self, params: Params, after: Floats, at: Ints, steps: int) -> Paths:
        """Forecast 1 … `steps` hours ahead from each of some origins, in one pass over the states.

        `after`: (k,) float64 finite, the hours that followed the training slice. `at`: (m,) int64, ascending: row i has
        seen after[: at[i]], nothing later (`at` is all zeros unless `updates`). Parameters stay as fitted.
        """


@dataclass(frozen=True, slots=True)
class Fits:
    """Many fits over one series `y` (hourly, finite): fit i learns from y[start[i] : end[i]].

    It forecasts `steps` hours from each of at[first[i] : first[i + 1]], indices into y, ascending and ≥ end[i] (all
    equal to end[i] unless the model updates), each time seeing y[: at]. `anchor[i]` and `chosen[i]` are indices of
    earlier fits of this batch whose parameters start, and whose form rules, fit i, or COLD; `form[i]` is known already
    where `chosen[i]` is COLD, and fit i chooses its own where `chosen[i]` is i. An anchor that failed or has another
    form starts nothing (the fit is cold); a fit whose `chosen` came to no form chooses its own. Column j of a path is
    the same whatever `steps` is.
    """

    start: Ints
    end: Ints
    first: Ints
    at: Ints
    anchor: Ints
    chosen: Ints
    form: tuple[str, ...]
    steps: int
    evaluations: int


@dataclass(frozen=True, slots=True)
class Swept:
    """What came of `Fits`: params[i] is None where fit i failed, and then failures[i] says why, and its rows of `paths`
    are NaN. evaluations: (fits,). paths: rows as `at`."""

    params: Sequence[Params | None]
    failures: Sequence[str]
    form: tuple[str, ...]
    evaluations: Ints
    paths: Paths


@runtime_checkable
class Sweeping(Model, Protocol):
    """A model that does many fits of a series in compiled code. Must equal `fit` and `predict` one by one, bit for bit
    (a test does both), and can neither hang nor crash: only models of ours are one."""

    def sweep(self, y: Floats, fits: Fits) -> Swept: ...
