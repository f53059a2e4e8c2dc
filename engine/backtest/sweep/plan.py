"""What a backtest is going to do: counted over all series, with what it will take, before anything is fitted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from engine.backtest.contract import Model
from engine.backtest.grid import Grid, Policy
from engine.backtest.models.registry import BUILT_IN, ModelRef
from engine.backtest.sweep.cost import Cost, cost_of
from engine.backtest.sweep.cutoffs import configurations, offered
from engine.backtest.sweep.spans import AIM_S
from engine.backtest.sweep.tally import COUNTS, SPAN, Tally
from engine.backtest.sweep.timeline import Timeline

MODELS = pl.Schema(
    {
        "model": pl.String,
        "configurations": pl.Int64,
        **dict.fromkeys(COUNTS, pl.Int64),
        "cpu_s": pl.Float64,
        "separate_cpu_s": pl.Float64,
        "guessed": pl.Boolean,
    }
)
"""A row a model. fits: distinct ones that a configuration asks for; anchors, selects: auxiliary ones. rows: of
`forecasts` in the output, failed origins included. separate_…: each configuration by itself."""

WINDOWS = pl.Schema({"model": pl.String, "window_h": pl.Int64, "origins": pl.Int64, "common": pl.Int64})
"""A row a model and window (null = expanding): origins at which every refit of it can forecast, and those at which
every window of the model can: compare configurations on these."""

SPANS = pl.Schema({"model": pl.String, **dict.fromkeys(SPAN, pl.Int64), "predicted_s": pl.Float64})
"""A row a unit of work: number of the series in the order given, and its `Span`."""


@dataclass(frozen=True)
class SweepPlan:
    """Counts and costs of a sweep. `common`: origins at which every model can forecast with every window and refit.

    `spans` are in the order in which they are to be done: the costliest model first, within a model by series.
    """

    series: int
    origins: int
    common: int
    models: pl.DataFrame
    windows: pl.DataFrame
    spans: pl.DataFrame
    notes: tuple[str, ...]

    @property
    def cpu_s(self) -> float:
        """Predicted CPU seconds of all distinct fits and their forecasts."""
        return float(self.models["cpu_s"].sum())

    @property
    def separate_cpu_s(self) -> float:
        """The same with each configuration by itself, by the same models."""
        return float(self.models["separate_cpu_s"].sum())

    @property
    def sharing(self) -> float:
        """Fits separately run over fits made, auxiliary ones included; NaN where there are none."""
        made = float(self.models.select(pl.sum_horizontal("fits", "anchors", "selects").sum()).item())
        return float(self.models["separate_fits"].sum()) / made if made else float("nan")

    def wall_s(self, workers: int) -> float:
        """Predicted seconds with so many cores: no less than the longest span takes."""
        longest = self.spans["predicted_s"].max()
        return max(self.cpu_s / workers, float(longest) if isinstance(longest, float) else 0.0)


def make(
    timelines: Iterable[Timeline],
    grid: Grid,
    refs: Sequence[ModelRef],
    costs: Mapping[str, Cost] | None = None,
    aim_s: float = AIM_S,
) -> SweepPlan:
    """Count over all series, one at a time. `costs`: of a pilot, by the model's name in the tables."""
    models = {ref.name: ref.load() for ref in refs}
    measured = costs or {}
    known = {ref.name: _cost(ref, measured) for ref in refs}
    tally = Tally(grid, models, {name: cost for name, (cost, _) in known.items()}, aim_s)
    for timeline in timelines:
        tally.add(timeline)
    rows = [
        {
            "model": name,
            "configurations": len(configurations(grid, name, model.updates)),
            **{key: tally.counts[name][key] for key in (*COUNTS, "cpu_s", "separate_cpu_s")},
            "guessed": not known[name][1],
        }
        for name, model in models.items()
    ]
    table = pl.DataFrame(rows, schema=MODELS)
    order = table.sort("cpu_s", descending=True, maintain_order=True)["model"].to_list()
    said = notes(grid, models)
    return SweepPlan(tally.series, tally.origins, tally.common, table, _windows(tally), _spans(tally, order), said)


def _windows(tally: Tally) -> pl.DataFrame:
    rows = [
        {"model": name, "window_h": window, "origins": n, "common": tally.windows_common[name]}
        for name, served in tally.served.items()
        for window, n in zip(tally.grid.windows_h, served.tolist(), strict=True)
    ]
    return pl.DataFrame(rows, schema=WINDOWS)


def _spans(tally: Tally, order: Sequence[str]) -> pl.DataFrame:
    cut = [
        pl.DataFrame(tally.cut[name], schema=list(SPANS)[1:], orient="row").select(
            pl.lit(name).alias("model"), pl.all()
        )
        for name in order
        if tally.cut[name]
    ]
    return pl.concat([SPANS.to_frame(), *(part.cast(SPANS) for part in cut)])


def _cost(ref: ModelRef, measured: Mapping[str, Cost]) -> tuple[Cost, bool]:
    return (measured[ref.name], True) if ref.name in measured else cost_of(ref.reference, BUILT_IN)


def notes(grid: Grid, models: Mapping[str, Model]) -> tuple[str, ...]:
    """What is not offered, a sentence each."""
    told = list[str]()
    for name, model in models.items():
        lost = [refit for refit in grid.refits_h if not offered(model.updates, refit, Policy.UPDATE)]
        if Policy.UPDATE in grid.policies and lost:
            hours = ", ".join(str(refit) for refit in lost)
            told.append(
                f"{name} cannot update its states: policy update is not offered for a refit of {hours} h"
                + (" (policy stale is)" if Policy.STALE in grid.policies else "")
            )
    return tuple(told)
