"""What came of a batch of fits, and the batch without some of its fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from engine.backtest.contract import COLD, Fits, Floats, Ints, Params


class FitStatus(StrEnum):
    """The fate of a fit. The first two forecast."""

    OK = "ok"
    CONSTANT = "constant"
    TOO_SHORT = "too_short"
    TIMEOUT_SOFT = "timeout_soft"
    TIMEOUT_HARD = "timeout_hard"
    ERROR = "error"
    NONFINITE = "nonfinite"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class Fate:
    """Why a fit gave nothing: status, class of the exception or name of the signal, one sentence."""

    status: FitStatus
    error_class: str | None = None
    message: str | None = None


OK = Fate(FitStatus.OK)


@dataclass(frozen=True, slots=True)
class Fitting:
    """What came of a `Fits`. Of every fit, (k,): fate, params (None unless it forecasts), form, whether its anchor
    started it, evaluations, and seconds, CPU and wall. Of every forecast, (m, steps) float64: mean, low and high; NaN
    where the fit failed or the model has no quantiles."""

    fate: list[Fate]
    params: Sequence[Params | None]
    form: list[str]
    warmed: list[bool]
    evaluations: Ints
    cpu_s: Floats
    wall_s: Floats
    mean: Floats
    low: Floats
    high: Floats


def nothing(fits: Fits) -> Fitting:
    """Every fit still to do."""
    k, nan = fits.end.size, np.full((3, fits.at.size, fits.steps), np.nan)
    return Fitting(
        [OK] * k,
        [None] * k,
        list(fits.form),
        [False] * k,
        np.zeros(k, np.int64),
        np.zeros(k),
        np.zeros(k),
        nan[0],
        nan[1],
        nan[2],
    )


def paths_of(fits: Fits, which: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which forecasts are those of these fits; both (…,) bool."""
    return np.repeat(which, np.diff(fits.first))


def subset(fits: Fits, kept: NDArray[np.bool_]) -> Fits:
    """The batch of some fits. One whose anchor is not kept is cold; one whose form was to be chosen by a fit that is
    not kept chooses its own."""
    place = np.append(np.where(kept, np.cumsum(kept) - 1, COLD), COLD)
    rows = np.flatnonzero(kept)
    chosen = place[fits.chosen[kept]]
    orphan = (chosen == COLD) & (fits.chosen[kept] != COLD)
    return replace(
        fits,
        start=fits.start[kept],
        end=fits.end[kept],
        first=np.concatenate([np.zeros(1, np.int64), np.cumsum(np.diff(fits.first)[kept])]),
        at=fits.at[paths_of(fits, kept)],
        anchor=place[fits.anchor[kept]],
        chosen=np.where(orphan, np.arange(rows.size), chosen),
        form=tuple(fits.form[row] for row in rows.tolist()),
    )
