"""Which stored fit and path should serve each configuration at each origin."""

from __future__ import annotations

import numpy as np

from engine.backtest.contract import Ints
from engine.backtest.serve.layout import Layout
from engine.backtest.serve.observed import Observed
from engine.backtest.serve.stored import Stored
from kernels.serving import ABSENT, BEFORE_STEPS, route

ROUTE_WIDTH = BEFORE_STEPS + 1


def routes(layout: Layout, observed: Observed, stored: Stored, phase_h: int, oldest_h: int, steps: int) -> Ints:
    """(c, n, 6) as in `kernels.serving.route`; ABSENT all over for ensembles."""
    origins = observed.origins
    base = int(min(origins.min(initial=1 << 62), stored.cutoff.min(initial=1 << 62)))
    hours = int(max(origins.max(initial=base), stored.cutoff.max(initial=base))) - base + 1
    fit_at = np.full((len(layout.specs), hours), ABSENT, np.int64)
    fit_at[stored.spec, stored.cutoff - base] = np.arange(len(stored.spec))
    usable = np.zeros(hours, np.bool_)
    usable[origins - base] = observed.usable
    out = np.full((len(layout.configurations), len(origins), ROUTE_WIDTH), ABSENT, np.int64)
    for c, spec in enumerate(layout.spec.tolist()):
        if spec != ABSENT:
            route(
                origins,
                usable,
                fit_at[spec],
                base,
                stored.first_path,
                stored.origin,
                stored.steps,
                layout.configurations[c].refit_h,
                phase_h,
                layout.is_stale(c),
                oldest_h,
                steps,
                out[c],
            )
    return out


def cutoffs(layout: Layout, origins: Ints, phase_h: int) -> Ints:
    """(c, n) hour number of the cutoff that rules each origin."""
    refit = layout.refit[:, None]
    return np.asarray(origins - (origins - phase_h) % refit)
