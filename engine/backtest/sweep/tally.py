"""Adding up what a sweep needs, one series after the other. Models that ask for the same fits are counted together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.backtest.contract import Ints, Model
from engine.backtest.grid import EXPANDING_H, Grid, Policy
from engine.backtest.sweep.cost import Cost, row_costs
from engine.backtest.sweep.cutoffs import configurations, last_cutoff, offered
from engine.backtest.sweep.requests import Request, Wanted, requested, want
from engine.backtest.sweep.spans import spans
from engine.backtest.sweep.timeline import Timeline, look, same_segment
from engine.backtest.sweep.windows import NO_HOUR, Role, Short

COUNTS = (
    "fits",
    "anchors",
    "selects",
    "too_short",
    "forecasts",
    "rows",
    "separate_fits",
    "separate_forecasts",
)
SPAN = ("series", "first", "stop", "tried", "refused")


@dataclass
class Tally:
    """Sums by model: counts (COUNTS, cpu_s and separate_cpu_s), origins that each window serves and that all of a
    model's windows serve, and the spans (SPAN and predicted_s)."""

    grid: Grid
    models: Mapping[str, Model]
    costs: Mapping[str, Cost]
    aim_s: float
    series: int = 0
    origins: int = 0
    common: int = 0
    counts: dict[str, dict[str, float]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))
    served: dict[str, Ints] = field(default_factory=dict)
    windows_common: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    cut: dict[str, list[tuple[float, ...]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, timeline: Timeline) -> None:
        """One more series."""
        everywhere, wanted = np.ones(timeline.origins.size, np.bool_), dict[bool, Wanted]()
        for names in self._alike():
            model = self.models[names[0]]
            if model.updates not in wanted:
                wanted[model.updates] = want(timeline, self.grid, model.updates)
            asked = requested(timeline, self.grid, model, wanted[model.updates])
            alone = apart(timeline, self.grid, model, asked)
            if configurations(self.grid, names[0], model.updates):  # else the plan says that it has none
                everywhere &= alone.served.all(axis=0)
            for name in names:
                self._add(name, asked, alone)
        self.origins += timeline.origins.size
        self.common += int(everywhere.sum())
        self.series += 1

    def _alike(self) -> list[list[str]]:
        groups = defaultdict[tuple[object, ...], list[str]](list)
        for name, model in self.models.items():
            groups[model.history, model.shortest, model.updates, model.selects].append(name)
        return list(groups.values())

    def _add(self, name: str, asked: Request, alone: Apart) -> None:
        fits, model, sums = asked.fits, self.models[name], self.counts[name]
        costs_s = row_costs(self.costs[name], fits.end - fits.start, fits.anchor, fits.chosen, np.diff(fits.first))
        roles = np.bincount(asked.role[asked.tried], minlength=len(Role)).tolist()
        sums["fits"] += roles[Role.ASKED]
        sums["anchors"] += roles[Role.ANCHOR]
        sums["selects"] += roles[Role.SELECT]
        sums["too_short"] += int((asked.short != Short.FITS).sum())
        sums["forecasts"] += asked.origin.size
        offers = len(configurations(self.grid, name, model.updates))
        sums["rows"] += offers * alone.served.shape[1] * self.grid.horizon_h
        sums["separate_fits"] += int(alone.times.sum())
        sums["separate_forecasts"] += alone.forecasts
        sums["cpu_s"] += float(costs_s.sum())
        sums["separate_cpu_s"] += float((costs_s * np.maximum(alone.times, 1)).sum())
        self.served[name] = self.served.get(name, np.zeros(alone.served.shape[0], np.int64)) + alone.served.sum(axis=1)
        self.windows_common[name] += int(alone.served.all(axis=0).sum())
        self.cut[name] += (
            (self.series, one.span.first, one.span.stop, one.tried, one.refused, one.predicted_s)
            for one in spans(asked, costs_s, self.grid, model.selects, self.aim_s)
        )


@dataclass(frozen=True, slots=True)
class Apart:
    """A model's configurations over one series, each by itself. served: (windows, origins) bool, every refit of the
    window can forecast there. times: (fits tried,) how many configurations make that fit; 0 of auxiliary ones.
    forecasts: how many they make."""

    served: NDArray[np.bool_]
    times: Ints
    forecasts: int


def apart(timeline: Timeline, grid: Grid, model: Model, asked: Request) -> Apart:
    """`asked` is the request of the same series and model."""
    refits = {refit: _policies(grid, model, refit) for refit in grid.refits_h}
    seen = look(timeline, timeline.origins)
    last = {refit: last_cutoff(timeline.origins, refit, grid.phase_h) for refit, held in refits.items() if held}
    same = {refit: same_segment(timeline, look(timeline, hours), seen) for refit, hours in last.items()}
    served = np.zeros((len(grid.windows_h), timeline.origins.size), np.bool_)
    times, forecasts = np.zeros(asked.tried.size, np.int64), 0
    windows, cutoffs = asked.window_h[asked.tried], asked.cutoff[asked.tried]
    for row, window in enumerate(grid.windows_h):
        mine = np.flatnonzero(windows == (window or EXPANDING_H))
        served[row] = bool(last)
        for refit, hours in last.items():
            place = np.searchsorted(cutoffs[mine], hours)
            can = same[refit] & (np.append(cutoffs[mine], NO_HOUR)[place] == hours)
            made = np.flatnonzero(np.bincount(place[can]))
            times[mine[made]] += len(refits[refit])
            for policy in refits[refit]:
                forecasts += made.size if policy is Policy.STALE else int(can.sum())
            served[row] &= can
    return Apart(served, times, forecasts)


def _policies(grid: Grid, model: Model, refit: int) -> list[Policy]:
    return [policy for policy in grid.policies if offered(model.updates, refit, policy)]
