"""One series served: from stored attempts to every row of every configuration, as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.backtest.contract import Floats, Ints
from engine.backtest.series.origins import STATUSES
from engine.backtest.serve import conformal, ensemble, fallback
from engine.backtest.serve.ensemble import EXCLUDED, FAILED, IMPLAUSIBLE, USED, Weighed, believable
from engine.backtest.serve.errors import Past, past
from engine.backtest.serve.exclusions import Event, exclude
from engine.backtest.serve.layout import Layout
from engine.backtest.serve.observed import Observed
from engine.backtest.serve.routes import cutoffs, routes
from engine.backtest.serve.settings import Quantiles, Serving
from engine.backtest.serve.stored import Stored
from engine.backtest.serve.tables import FIT_STATUSES, NO_MEMBERS, NOT_STORED, ROW_STATUSES
from engine.backtest.serve.tables import IMPLAUSIBLE as IMPLAUSIBLE_ROW
from kernels.serving import ABSENT, FIT, NONE, PREVIOUS, ROUTE_FIT, ROUTE_PATH, take_paths

_CODE = {name: code for code, name in enumerate(ROW_STATUSES)}
_OF_ORIGIN = np.array([_CODE[str(status)] for status in STATUSES], np.int8)
_OF_FIT = np.array([_CODE[status] for status in FIT_STATUSES] + [_CODE[NOT_STORED]], np.int8)
_LAST_GOOD = _CODE["constant"]
"""Fits with this status or the one before, `ok`, forecast."""


@dataclass(frozen=True, slots=True)
class Served:
    """All rows of one series, (c, n, steps) each: c configurations in the layout's order, n origins.

    yhat, q10, q50, q90: NaN = none. fit (index in the series' `Stored`), age_h: int32, −1 = none. served_by: int32,
    status: int8, places in `tables.SERVED_BY` and `tables.ROW_STATUSES`. y, seasonal: (n, steps), what came and what
    seasonal naive said. common: (n,), origins at which every model has enough history.
    """

    yhat: Floats
    q10: Floats
    q50: Floats
    q90: Floats
    fit: NDArray[np.int32]
    age_h: NDArray[np.int32]
    served_by: NDArray[np.int32]
    status: NDArray[np.int8]
    y: Floats
    seasonal: Floats
    common: NDArray[np.bool_]
    weighed: tuple[Weighed, ...]
    events: tuple[Event, ...]


def serve(observed: Observed, stored: Stored, layout: Layout, serving: Serving, phase_h: int, steps: int) -> Served:
    """Serve every configuration at every origin. No row depends on anything known later than its origin."""
    shape = (len(layout.configurations), len(observed.origins), steps)
    routed = routes(layout, observed, stored, phase_h, serving.oldest_h, steps)
    rows, notes = np.empty((3, *shape)), np.empty((3, *shape), np.int32)
    take_paths(routed, stored.start, stored.values, stored.fit, stored.cutoff, observed.origins, rows, notes)
    y, season = observed.actual(steps), fallback.seasonal(observed, serving, steps)
    known_from = observed.known_from(steps)
    before = past(y - rows[0], y - season, observed.scale, observed.origins, known_from)
    due = cutoffs(layout, observed.origins, phase_h)
    fit = routed[:, :, ROUTE_FIT]
    excluded = exclude(serving.exclusions, fit, stored.status, stored.cpu_s, due, before)
    members = _as_members(observed.vital, routed, rows[0], excluded.out)
    weighed = _join(layout, serving, members, before, observed.origins - due, rows, notes)
    learned = None
    if serving.quantiles is not Quantiles.MODEL:
        learned = conformal.offsets(y - rows[0], known_from, serving.least_errors)
    fallback.fill(serving, layout, observed, stored, routed, members == USED, season, rows, notes)
    q10, q50, q90 = conformal.quantiles(serving.quantiles, rows, notes[2] <= PREVIOUS, learned)
    status = _status(layout, observed, stored, routed, notes, rows[0])
    common = observed.usable & _has_history(layout, stored, fit)
    places = (notes[0], notes[1], notes[2], status)
    return Served(rows[0], q10, q50, q90, *places, y, season, common, tuple(weighed), excluded.events)


def _as_members(vital: str, routed: Ints, yhat: Floats, out: NDArray[np.bool_]) -> NDArray[np.int8]:
    """(c, n) each configuration as a member of ensembles; an ensemble is none."""
    status = np.full(out.shape, USED, np.int8)
    status[out] = EXCLUDED
    status[~believable(vital, yhat).all(axis=2)] = IMPLAUSIBLE
    status[routed[:, :, ROUTE_PATH] == ABSENT] = FAILED
    return status


def _join(
    layout: Layout,
    serving: Serving,
    members: NDArray[np.int8],
    before: Past,
    age_h: Ints,
    rows: Floats,
    notes: NDArray[np.int32],
) -> list[Weighed]:
    """Write the own rows of ensembles."""
    weighed = []
    for c, mine in layout.members.items():
        how = serving.ensembles[layout.ensemble[c]]
        found = ensemble.weigh(how, c, mine, members, before)
        rows[0, c] = ensemble.joined(how, found, rows[0])
        there = ~np.isnan(rows[0, c, :, 0])
        notes[2, c] = np.where(there, FIT, NONE)[:, None]
        notes[1, c] = np.where(there, age_h[c], ABSENT)[:, None]
        weighed.append(found)
    return weighed


def _status(
    layout: Layout, observed: Observed, stored: Stored, routed: Ints, notes: NDArray[np.int32], yhat: Floats
) -> NDArray[np.int8]:
    fit = routed[:, :, ROUTE_FIT]
    per_origin = _OF_FIT[np.append(stored.status, ABSENT)[fit]]
    per_origin[(per_origin <= _LAST_GOOD) & (routed[:, :, ROUTE_PATH] == ABSENT)] = _CODE[NOT_STORED]
    joint = layout.ensemble != ABSENT
    per_origin[joint] = np.where(notes[2, joint, :, 0] == FIT, _CODE["ok"], _CODE[NO_MEMBERS])
    per_origin[:, ~observed.usable] = _OF_ORIGIN[observed.code[~observed.usable]]
    status = np.repeat(per_origin, yhat.shape[2]).reshape(yhat.shape)
    odd = ~believable(observed.vital, yhat) & ~np.isnan(yhat)
    status[odd & (notes[2] == FIT)] = _CODE[IMPLAUSIBLE_ROW]
    return status


def _has_history(layout: Layout, stored: Stored, fit: Ints) -> NDArray[np.bool_]:
    """(n,) origins at which no model's fit is absent or too short."""
    short = np.append(stored.status == FIT_STATUSES.index("too_short"), True)
    return np.asarray(~short[fit[layout.spec != ABSENT]].any(axis=0))
