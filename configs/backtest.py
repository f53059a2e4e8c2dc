"""What a backtest may be told: typed settings of a YAML file or of flags, and what the engine makes of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_validator

from configs.settings import (
    Cluster,
    CommitSettings,
    LimitSettings,
    Part,
    Retried,
    StorageSettings,
    Tolerance,
)
from engine.backtest.grid import Grid, ModelSpec, Policy
from engine.backtest.series.read import Kind, SeriesInput
from engine.backtest.series.read_long import Columns
from engine.backtest.series.read_wide import WideColumns
from engine.backtest.serve.settings import Ensemble, Exclusions, Quantiles, Serving, StandIn, Weights


def _hours_or(word: str) -> AfterValidator:
    def checked(value: int | str) -> int | str:
        if value == word or (isinstance(value, int) and value >= 1):
            return value
        raise ValueError(f"{value!r} is neither hours such as 168 nor {word!r}")

    return AfterValidator(checked)


Hours = Annotated[int, Field(ge=1)]
Window = Annotated[int | str, _hours_or("expanding")]
Stretch = Annotated[int | str, _hours_or("all")]
MODELS = ("seasonal_naive", "auto_theta", "auto_ets", "holt_winters")
"""What is tried where nothing is said: compiled, a second or so for a series and a week."""


class ColumnSettings(Part):
    """Which column is what, where they have other names than ours."""

    subject: str | None = None
    vital: str | None = Field(default=None, description="of a long table; where absent, it has one vital")
    ts: str | None = None
    value: str | None = None
    arrived: str | None = Field(default=None, description="when each reading arrived; it counts from then on")
    unit: Literal["h", "min", "s", "ms", "us"] = Field(default="h", description="what numbers in ts count")
    names: dict[str, str] = Field(default={}, description="names of vitals, theirs to ours")


class SeriesSettings(Part):
    """Where series come from."""

    uri: str = Field(description="output of a reprocessing, long table (CSV, Parquet), or wide files (folder, zip)")
    kind: Kind = Kind.AUTO
    vitals: tuple[str, ...] = Field(default=(), description="which of ours to take; all where not given")
    at_least_h: int = Field(default=0, ge=0, description="shorter series are left out")
    columns: ColumnSettings | None = None
    module_id: str | None = Field(default=None, description="of a reprocessing; the newest finished run's")
    use_arrivals: bool = Field(default=True, description="of a reprocessing: a value counts from when it arrived")

    def spec(self) -> SeriesInput:
        long = wide = None
        if self.columns is not None:
            told = {key: value for key, value in self.columns.model_dump().items() if value is not None}
            if self.kind is Kind.WIDE:
                wide = WideColumns(**{key: told[key] for key in told if key in ("subject", "ts", "unit", "names")})
            else:
                long = Columns(**({"vital": None, "arrived": None} | told))
        return SeriesInput(
            self.uri, self.kind, self.vitals, self.at_least_h, long, wide, self.module_id, self.use_arrivals
        )


class ModelSettings(Part):
    """One forecasting model; `ref` is a built-in name, an entry point, or package.module:Name."""

    name: str
    ref: str | None = None
    parameters: dict[str, Any] = Field(default={})

    def spec(self) -> ModelSpec:
        return ModelSpec(self.name, self.ref or self.name, self.parameters)


def _model(value: Any) -> Any:
    """A name alone, or package.module:Name, stands for the model with its defaults."""
    if not isinstance(value, str):
        return value
    return {"name": value.rpartition(":")[2], "ref": value if ":" in value else None}


NamedModel = Annotated[ModelSettings, BeforeValidator(_model)]


class EnsembleSettings(Part):
    """Several models as one."""

    name: str
    members: tuple[str, ...] = Field(default=(), description="all models where not given")
    weights: Weights = Weights.MEDIAN
    window_h: Hours | None = Field(default=168, description="age of the errors from which weights are learned")
    least_errors: int = Field(default=24, ge=1)


class ExclusionSettings(Part):
    """When a model takes no part in ensembles; null or 0 = rule off."""

    failures_in_row: int = Field(default=3, ge=0)
    rest_h: int = Field(default=24, ge=0)
    mase_ratio: float | None = Field(default=1.5, gt=0)
    window_h: Hours = 168
    least_errors: int = Field(default=168, ge=1)
    budget_s: float | None = Field(default=None, gt=0, description="p95 of CPU seconds; makes a run not comparable")


class ServingSettings(Part):
    """How stored forecasts are served; another one needs no new fit."""

    on_failure: tuple[StandIn, ...] = (StandIn.PREVIOUS_GOOD, StandIn.ENSEMBLE, StandIn.SEASONAL_NAIVE)
    oldest_h: Hours = 24
    seasons: Hours = 7
    ensembles: tuple[EnsembleSettings, ...] = ()
    exclusions: ExclusionSettings = ExclusionSettings()
    quantiles: Quantiles = Quantiles.BOTH
    least_errors: int = Field(default=20, ge=1)


class BacktestSettings(Part):
    """One backtest."""

    series: tuple[SeriesSettings, ...] = Field(default=(), description="what is forecast")
    output: str | None = Field(default=None, description="folder or s3:// prefix of the tables")
    models: tuple[NamedModel, ...] = tuple(ModelSettings(name=name) for name in MODELS)
    windows_h: tuple[Window, ...] = (72, 168, 336)
    refits_h: tuple[Hours, ...] = (1, 6, 24)
    policies: tuple[Policy, ...] = (Policy.UPDATE,)
    horizon_h: Hours = 24
    every_h: Hours = Field(default=1, description="hours between two origins")
    evaluate_h: Stretch = Field(default=168, description="origins lie in the last so many hours")
    phase_h: int = Field(default=0, description="hour of the UTC day from which refits count")
    select_h: Hours = Field(default=24, description="cadence of choosing a form")
    anchor_h: Hours = Field(default=24, description="cadence of the cold fits from which others start")
    season_h: Hours = 24
    evaluations: Hours = Field(default=200, description="an optimiser's bound a fit")
    keep_params: Literal["all", "anchors", "none"] = "anchors"
    fit_budget_s: float | None = Field(
        default=None, gt=0, description="CPU seconds above which a fit came too late; makes a run not comparable"
    )
    serving: ServingSettings = ServingSettings()
    cluster: Cluster = "workstation"
    workers: int | None = Field(default=None, ge=1)
    batch: int | None = Field(default=None, ge=1, le=64)
    limits: LimitSettings = Field(default=LimitSettings(seconds=60.0), description="of one fit, of a sweep or a range")
    max_failures: Tolerance = "20%"
    retry: tuple[Retried, ...] = ()
    commit: CommitSettings = CommitSettings()
    storage: StorageSettings = StorageSettings()

    @field_validator("windows_h", "refits_h", "policies", "models")
    @classmethod
    def _some(cls, value: tuple[Any, ...]) -> tuple[Any, ...]:
        if not value:
            raise ValueError("name at least one")
        if len(set(map(str, value))) != len(value):
            raise ValueError("something is named twice")
        return value

    def grid(self) -> Grid:
        """The sweep."""
        return Grid(
            tuple(one.spec() for one in self.models),
            tuple(window if isinstance(window, int) else None for window in self.windows_h),
            self.refits_h,
            self.policies,
            self.horizon_h,
            self.every_h,
            self.evaluate_h if isinstance(self.evaluate_h, int) else None,
            self.phase_h,
            self.select_h,
            self.anchor_h,
            self.season_h,
            self.evaluations,
            self.keep_params,
        )

    def serve(self) -> Serving:
        """What is asked of the stored attempts."""
        told = self.serving
        return Serving(
            told.on_failure,
            told.oldest_h,
            self.season_h,
            told.seasons,
            tuple(Ensemble(**one.model_dump()) for one in told.ensembles),
            Exclusions(**told.exclusions.model_dump()),
            told.quantiles,
            told.least_errors,
        )
