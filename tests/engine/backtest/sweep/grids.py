"""Series with holes, models that only have traits, and the slow way to say what a sweep needs."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from engine.backtest.contract import Fitted, Floats, History, Ints, Params, Paths
from engine.backtest.grid import Grid, ModelSpec, Policy
from engine.backtest.series.asof import Known, State, know
from engine.backtest.series.origins import judge, origins
from engine.backtest.sweep.timeline import Timeline, of

MODELS = (ModelSpec("any", "toy"),)


@dataclass(frozen=True)
class Traits:
    """A model as planning knows it."""

    history: History = History.ANY
    shortest: int = 2
    updates: bool = True
    selects: bool = False
    name: str = "traits"

    def select(self, y: Floats, evaluations: int) -> str:
        raise NotImplementedError

    def fit(self, y: Floats, form: str, warm: Params | None, evaluations: int) -> Fitted:
        raise NotImplementedError

    def predict(self, params: Params, after: Floats, at: Ints, steps: int) -> Paths:
        raise NotImplementedError


@dataclass
class Needed:
    """fits: (window, cutoff) → (start hour, end hour) of those that can be tried; refused: the others that were asked
    for; asked: with a forecast; forecasts: (window, cutoff, origin) → steps."""

    fits: dict[tuple[int | None, int], tuple[int, int]] = field(default_factory=dict)
    refused: set[tuple[int | None, int]] = field(default_factory=set)
    asked: set[tuple[int | None, int]] = field(default_factory=set)
    forecasts: dict[tuple[int | None, int, int], int] = field(default_factory=dict)
    anchor: dict[tuple[int | None, int], int] = field(default_factory=dict)
    select: dict[tuple[int | None, int], int] = field(default_factory=dict)


def series(start: int, values: Floats, grid: Grid) -> tuple[Known, Timeline]:
    known = know("hr_bpm", start, values)
    judged = judge([State(known, origins(start, start + len(values), grid))])
    return known, of(known, judged.at[judged.ok])


def with_holes(seed: int, n: int) -> Floats:
    """Hours with short and long gaps."""
    rng = np.random.default_rng(seed)
    values = rng.normal(70, 5, n)
    for _ in range(rng.integers(0, 5)):
        at = rng.integers(1, n)
        values[at : at + rng.choice([1, 3, 7, 20, 24, 25, 40])] = np.nan
    values[0] = values[-1] = 70.0
    return values


def slice_of(known: Known, model: Traits, window: int | None, cutoff: int) -> tuple[int, int] | None:
    """Hours of the training slice, None where the fit cannot be tried."""
    view = known.view(cutoff)
    begin = None if view is None else view.begin(window)
    if view is None or begin is None or view.end - begin < model.shortest:
        return None
    if not judge([State(known, np.array([cutoff]))]).enough(model.history)[0]:
        return None
    return view.segment.start + begin, view.segment.start + view.end


def segment_of(known: Known, hour: int) -> int | None:
    view = known.view(hour)
    return None if view is None else view.segment.start


def back(hour: int, every: int, phase: int) -> int:
    while (hour - phase) % every:
        hour -= 1
    return hour


def needed(known: Known, timeline: Timeline, grid: Grid, model: Traits) -> Needed:
    """Each configuration alone, hour by hour, then what their fits need."""
    found = Needed()
    for window in grid.windows_h:
        for refit in grid.refits_h:
            for policy in grid.policies:
                if model.updates or policy is Policy.STALE or refit == 1:
                    for origin in timeline.origins.tolist():
                        _one(found, known, grid, model, window, back(origin, refit, grid.phase_h), origin, policy)
    found.refused -= found.asked
    waiting = list(found.asked)
    while waiting:
        window, cutoff = waiting.pop()
        if (window, cutoff) not in found.fits:
            found.fits[window, cutoff] = slice_of(known, model, window, cutoff) or (0, 0)
            waiting += _helpers(found, known, grid, model, window, cutoff)
    found.refused -= set(found.fits)
    return found


def _one(
    found: Needed, known: Known, grid: Grid, model: Traits, window: int | None, cutoff: int, origin: int, policy: Policy
) -> None:
    if slice_of(known, model, window, cutoff) is None or segment_of(known, cutoff) != segment_of(known, origin):
        found.refused.add((window, cutoff))
        return
    found.asked.add((window, cutoff))
    made_at = cutoff if policy is Policy.STALE else origin
    steps = grid.horizon_h + origin - made_at
    found.forecasts[window, cutoff, made_at] = max(steps, found.forecasts.get((window, cutoff, made_at), 0))


def _helpers(
    found: Needed, known: Known, grid: Grid, model: Traits, window: int | None, cutoff: int
) -> list[tuple[int | None, int]]:
    def usable(hour: int) -> bool:
        same = segment_of(known, hour) == segment_of(known, cutoff)
        return same and slice_of(known, model, window, hour) is not None

    helpers = list[tuple[int | None, int]]()
    anchor = back(cutoff, grid.anchor_h, grid.phase_h)
    if anchor != cutoff and usable(anchor):
        found.anchor[window, cutoff] = anchor
        helpers.append((window, anchor))
    if model.selects:
        select = back(cutoff, grid.select_h, grid.phase_h)
        while not usable(select):
            select += 1
        found.select[window, cutoff] = select
        helpers.append((window, select))
    return helpers
