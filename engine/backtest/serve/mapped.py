"""What the second step of a backtest maps over its Works: the configurations and how they are served, as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, cast

from engine.backtest.grid import Configuration, Grid
from engine.backtest.scores.table import ORIGIN_SUMS, SCORE_SUMS, SERIES_SCORES
from engine.backtest.series.table import SERIES
from engine.backtest.serve.layout import Layout, arrange
from engine.backtest.serve.settings import Serving
from engine.backtest.serve.tables import EXCLUSIONS, WEIGHTS
from engine.backtest.tables import FORECASTS, ORIGINS
from engine.identity import Identity, identify, refuse_other_code
from engine.module import Module, Table

REFERENCE = "engine.backtest.serve.make:make"
"""Its imports are the code on which rows depend."""


@dataclass(frozen=True)
class Serve:
    """How to serve. configurations: of models, ensembles come from `serving`; the other fields as in `grid.Grid`."""

    name: ClassVar[str] = "serve"

    configurations: tuple[Configuration, ...]
    horizon_h: int = 24
    every_h: int = 1
    evaluate_h: int | None = 168
    phase_h: int = 0
    season_h: int = 24
    serving: Serving = field(default_factory=Serving)

    @cached_property
    def layout(self) -> Layout:
        """Raises `ConfigError` where an ensemble's name or member does not fit."""
        return arrange(self.configurations, self.serving.ensembles)

    @cached_property
    def grid(self) -> Grid:
        """What decides the origins."""
        return Grid(
            (),
            horizon_h=self.horizon_h,
            every_h=self.every_h,
            evaluate_h=self.evaluate_h,
            phase_h=self.phase_h,
            season_h=self.season_h,
        )

    @property
    def outputs(self) -> Mapping[str, Table]:
        return {
            "forecasts": FORECASTS,
            "origins": ORIGINS,
            "series": SERIES,
            "weights": WEIGHTS,
            "exclusions": EXCLUSIONS,
            "score_sums": SCORE_SUMS,
            "series_scores": SERIES_SCORES,
            "origin_sums": ORIGIN_SUMS,
        }


@dataclass(frozen=True, slots=True)
class ServeMapped:
    """See `engine.work.Mapped`."""

    serve: Serve
    module_id: str

    def load(self) -> Serve:
        """Raises `StaleWorker` where this process sees other code than the driver."""
        refuse_other_code(identity_of(self.serve), self.module_id, "serves with")
        return self.serve

    def outputs(self, loaded: Any) -> Mapping[str, Table]:
        outputs: Mapping[str, Table] = loaded.outputs
        return outputs


def refer(serve: Serve) -> tuple[ServeMapped, Identity]:
    """The value that travels, and what its rows depend on besides the stored attempts. Raises `ConfigError`."""
    serve.layout  # noqa: B018  (refuses what does not fit, before anything runs)
    identity = identity_of(serve)
    return ServeMapped(serve, identity.module_id), identity


def identity_of(serve: Serve) -> Identity:
    """Of the settings and the bytes of all code that makes rows of attempts."""
    return identify(REFERENCE, cast(Module, serve))


def serve_of(grid: Grid, configurations: tuple[Configuration, ...], serving: Serving) -> Serve:
    """What serves the configurations of a sweep."""
    return Serve(configurations, grid.horizon_h, grid.every_h, grid.evaluate_h, grid.phase_h, grid.season_h, serving)
