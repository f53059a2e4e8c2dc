"""Ensembles over members that fitted, are plausible and not excluded; weights learned from the past only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.backtest.contract import Floats, Ints
from engine.backtest.serve.errors import Known, Past
from engine.backtest.serve.settings import Ensemble, Weights
from engine.backtest.serve.tables import MEMBER_STATUSES
from engine.vitals.plausibility import LIMITS, plausible
from kernels.serving import combine

Flags = NDArray[np.bool_]
USED, FAILED, IMPLAUSIBLE, EXCLUDED = range(len(MEMBER_STATUSES))
LEAST_MAE = 1e-9
"""A member without any error would else weigh everything."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """What the members of one ensemble configuration (index) weighed: (m, n) each. status: places in
    `MEMBER_STATUSES`; mae NaN = unknown. members: (m,) indices of configurations."""

    configuration: int
    members: Ints
    weight: Floats
    status: NDArray[np.int8]
    n_errors: Ints
    mae: Floats


def believable(vital: str, values: Floats) -> Flags:
    """Whether a value can be one of this vital; any finite one where the vital has no limits."""
    return plausible(vital, values) if vital in LIMITS else np.isfinite(values)


def weigh(ensemble: Ensemble, configuration: int, members: Ints, status: NDArray[np.int8], past: Past) -> Weighed:
    """status: (c, n) of all configurations as members, places in `MEMBER_STATUSES`."""
    known = past.within(ensemble.window_h)
    mine = status[members]
    used = mine == USED
    n = np.maximum(used.sum(axis=0), 1)
    weight = used / n
    if ensemble.weights is Weights.INVERSE_ERROR:
        weight = np.where(_learned(ensemble, known, members, used), _inverse(known.mae[members], used), weight)
    return Weighed(configuration, members, weight, mine, known.n[members], known.mae[members])


def _learned(ensemble: Ensemble, known: Known, members: Ints, used: Flags) -> Flags:
    """(n,) origins at which every member that takes part has enough errors."""
    return np.asarray(((known.n[members] >= ensemble.least_errors) | ~used).all(axis=0))


def _inverse(mae: Floats, used: Flags) -> Floats:
    with np.errstate(invalid="ignore"):
        share = np.where(used, 1.0 / np.maximum(mae, LEAST_MAE), 0.0)
        return np.asarray(share / np.maximum(share.sum(axis=0), 1e-300))


def joined(ensemble: Ensemble, weighed: Weighed, rows: Floats) -> Floats:
    """(n, steps) the ensemble's forecast, NaN where nobody takes part. rows: (c, n, steps), of all configurations."""
    out = np.empty(rows.shape[1:])
    by_median = ensemble.weights is Weights.MEDIAN
    combine(rows, weighed.members, np.ascontiguousarray(weighed.weight), by_median, out)
    return out
