"""The fits of one model over one series and span of days as a unit of work, and what the run maps over such units."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, cast

from engine.backtest.contract import Model
from engine.backtest.fits.batch import Fate, FitStatus
from engine.backtest.fits.evaluate import Asked, evaluate
from engine.backtest.grid import Grid
from engine.backtest.models.registry import ModelRef
from engine.backtest.series.store import thaw
from engine.backtest.sweep.requests import Span
from engine.backtest.tables import ATTEMPTS, FITS
from engine.identity import Identity, identify, refuse_other_code
from engine.module import Module, Outcome, Status, Table, Verdict
from engine.storage import Store, StoreOptions
from engine.work import Death, Evaluation, WithoutInputs
from engine.workers.telling import reading

REFERENCE = "engine.backtest.fits.evaluate:evaluate"
"""Its imports are the code on which rows depend, besides the models', each of which has an identity of its own."""
Models = Mapping[str, tuple[ModelRef, Model]]


@dataclass(frozen=True, slots=True)
class FitsWork(WithoutInputs):
    """See `engine.work.PiecewiseWork`. The series is row `row` of the frozen part `path` below `series_uri`."""

    key: str
    identity: str
    predicted_s: float
    subject_id: str
    vital: str
    model: str
    span: Span
    grid: Grid
    budget_s: float | None
    path: str
    row: int
    series_uri: str
    options: StoreOptions
    deaths: tuple[Death, ...] = ()

    @property
    def known(self) -> Mapping[str, str | None]:
        return {"subject_id": self.subject_id}

    def evaluate(self, mapped: Models) -> Evaluation:
        """Raises `InputUnreadable` where storage fails."""
        with reading():
            (series,) = thaw(Store(self.series_uri, self.options), self.path, [self.row])
        ref, model = mapped[self.model]
        asked = Asked(self.model, ref.sha256, model, self.grid, self.span, self.deaths, self.budget_s)
        found = evaluate(series, asked, self.key)
        tables = {"fits": found.fits, "attempts": found.attempts}
        return Evaluation(Outcome(tables, (_verdict(self.key, found.fates),)), {})

    def without(self, death: Death) -> FitsWork:
        return replace(self, deaths=(*self.deaths, death))


def _verdict(key: str, fates: Collection[Fate]) -> Verdict:
    """Partial where a fit took its process along: that may be the machine's fault, and could be tried again."""
    lethal = (FitStatus.TIMEOUT_HARD, FitStatus.QUARANTINED)
    fatal = Counter(str(fate.status) for fate in fates if fate.status in lethal)
    if not fatal:
        return Verdict(key, Status.OK)
    said = ", ".join(f"{number} {status}" for status, number in sorted(fatal.items()))
    return Verdict(key, Status.PARTIAL, tuple(sorted(fatal)), f"{said} of {len(fates)} fits")


@dataclass(frozen=True)
class FitStep:
    """The evaluator, as far as it has a name; it has no parameters."""

    name: ClassVar[str] = "fits"


@dataclass(frozen=True, slots=True)
class FitsMapped:
    """See `engine.work.Mapped`."""

    models: tuple[ModelRef, ...]
    module_id: str

    def load(self) -> Models:
        """The models by name. Raises `StaleWorker` where this process sees other code than the driver."""
        refuse_other_code(identity(), self.module_id, "fits with")
        return {ref.name: (ref, ref.load()) for ref in self.models}

    def outputs(self, loaded: Models) -> Mapping[str, Table]:  # noqa: ARG002
        return {"fits": FITS, "attempts": ATTEMPTS}


def identity() -> Identity:
    """Of the evaluator. Models are no part of it: a changed one makes its own fits stale only."""
    return identify(REFERENCE, cast(Module, FitStep()))


def refer(models: tuple[ModelRef, ...]) -> tuple[FitsMapped, Identity]:
    """The value that travels, and the identity of the rows."""
    found = identity()
    return FitsMapped(models, found.module_id), found
