"""What is done with stored attempts: everything about serving that can be changed without a new fit."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from engine.errors import ConfigError


class StandIn(StrEnum):
    """What may serve where the fit that should have served gave nothing."""

    PREVIOUS_GOOD = "previous_good"
    """The last good fit of the same configuration, at most `oldest_h` old: its newest forecast, its rows shifted."""
    ENSEMBLE = "ensemble"
    """Median of the other models with the same window, refit and policy."""
    SEASONAL_NAIVE = "seasonal_naive"
    """Last observed value of the same phase, whether or not the sweep has this model."""


class Weights(StrEnum):
    """How an ensemble combines its members."""

    MEDIAN = "median"
    MEAN = "mean"
    INVERSE_ERROR = "inverse_error"
    """By 1 / MAE of what is known at the origin; equal weights as long as a member has too few errors."""


class Quantiles(StrEnum):
    """Where q10, q50 and q90 come from."""

    MODEL = "model"
    """The model's own."""
    CONFORMAL = "conformal"
    """The configuration's own earlier errors, of the same step."""
    BOTH = "both"
    """Conformal as soon as there are enough errors, the model's own before."""


@dataclass(frozen=True, slots=True)
class Ensemble:
    """An ensemble; it becomes a configuration for each window, refit and policy of its members, `name` its model.

    No members = all models. `window_h`: age of the errors from which weights are learned, all where None.
    """

    name: str
    members: tuple[str, ...] = ()
    weights: Weights = Weights.MEDIAN
    window_h: int | None = 168
    least_errors: int = 24


@dataclass(frozen=True, slots=True)
class Exclusions:
    """When a model does not take part in ensembles (its own rows stay its own); None or 0 = rule off.

    failures_in_row: so many fits failed one after the other; then out for `rest_h`. mase_ratio: over the last
    `window_h`, MASE above so many times that of seasonal naive on the same rows, of which there must be `least_errors`.
    budget_s: 95th percentile of the CPU seconds of the fits in the last `window_h`; since that differs between two
    equal runs, a run with it is not comparable.
    """

    failures_in_row: int = 3
    rest_h: int = 24
    mase_ratio: float | None = 1.5
    window_h: int = 168
    least_errors: int = 168
    budget_s: float | None = None


@dataclass(frozen=True, slots=True)
class Serving:
    """Everything that may be asked of stored attempts. `on_failure` is tried in its order, row by row.

    `oldest_h` is the greatest age of a previous good fit, `season_h` the season of the last resort, `seasons` how many
    seasons it looks back. `least_errors`: so many earlier errors of a step make a conformal quantile.
    """

    on_failure: tuple[StandIn, ...] = (StandIn.PREVIOUS_GOOD, StandIn.ENSEMBLE, StandIn.SEASONAL_NAIVE)
    oldest_h: int = 24
    season_h: int = 24
    seasons: int = 7
    ensembles: tuple[Ensemble, ...] = ()
    exclusions: Exclusions = field(default_factory=Exclusions)
    quantiles: Quantiles = Quantiles.BOTH
    least_errors: int = 20

    def __post_init__(self) -> None:
        if len(set(self.on_failure)) != len(self.on_failure):
            raise ConfigError(f"on_failure names something twice: {', '.join(self.on_failure)}")
        names = [one.name for one in self.ensembles]
        if len(set(names)) != len(names):
            raise ConfigError(f"two ensembles have one name: {', '.join(sorted(names))}")

    @property
    def is_comparable(self) -> bool:
        """Whether two equal runs give equal rows: not where measured CPU seconds decide who takes part."""
        return self.exclusions.budget_s is None
