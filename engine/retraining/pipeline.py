"""The steps put together: what is trained, stored and served is this one object."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Self

import polars as pl
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline

from engine.errors import UserError
from engine.identity import canonical_json
from engine.retraining.estimator import Estimator
from engine.retraining.lookback_lowess import LookbackLowess
from engine.retraining.normaliser import Normaliser
from engine.retraining.outlier_filter import OutlierFilter
from engine.retraining.plain import fields, read, refused
from engine.retraining.rows import DATE, SUBJECT
from engine.retraining.step import Step

STEPS: dict[str, type[Step]] = {
    "outliers": OutlierFilter,
    "normaliser": Normaliser,
    "smoother": LookbackLowess,
    "estimator": Estimator,
}
"""By the names under which a search sets their parameters, as in `smoother__look_back`."""


@dataclass(frozen=True, slots=True)
class Served:
    """answers: subject_id, night_date, answer (null where there is none) and filter_hash, a row a night as it came in;
    decisions: see `decisions.decide`."""

    answers: pl.DataFrame
    decisions: pl.DataFrame


class NightPipeline(Pipeline):  # type: ignore[misc]
    """A pipeline of scikit-learn with exactly `STEPS`, in this order.

    Frames go in (see `rows`), and nothing but them and the steps decides: an answer for a night needs the person's
    nights before it among the rows, and looks at none after it.
    """

    @property
    def filter_hash(self) -> str:
        """See `OutlierFilter.filter_hash`."""
        return str(self["outliers"].filter_hash)

    @property
    def sha256(self) -> str:
        """Of `serialise`: equal models have equal hashes."""
        return hashlib.sha256(self.serialise().encode()).hexdigest()

    def serve(self, nights: pl.DataFrame) -> Served:
        """The answers, and what was not believed on the way to them."""
        answer = pl.Series("answer", self.predict(nights), nan_to_null=True)
        answers = nights.select(SUBJECT, DATE).with_columns(answer, pl.lit(self.filter_hash).alias("filter_hash"))
        return Served(answers, self["outliers"].decisions(nights))

    def parameters(self) -> dict[str, Any]:
        """Of each step, as JSON values. Raises `UserError` where the steps are others, or a parameter cannot be."""
        if [(name, type(step)) for name, step in self.steps] != list(STEPS.items()):
            asked = ", ".join(f"{name} ({kind.__name__})" for name, kind in STEPS.items())
            raise UserError(f"the steps must be {asked}")
        for _, step in self.steps:
            step.check()
        return {name: step.parameters() for name, step in self.steps}

    def serialise(self) -> str:
        """JSON: steps and filter_hash. Raises `UserError` before `fit`."""
        self.parameters()
        steps = {name: step.plain() for name, step in self.steps}
        return canonical_json({"filter_hash": self.filter_hash, "steps": steps})

    @classmethod
    def deserialise(cls, text: str) -> Self:
        """The pipeline that gave the text. Raises `UserError` where the text is no such thing, or where this
        installation's filter would decide by other code: training and serving must agree. Executes nothing of it."""
        filter_hash, steps = fields(read(text), ("filter_hash", "steps"), "a model")
        kept = zip(STEPS.items(), fields(steps, list(STEPS), "its steps"), strict=True)
        model = cls([(name, kind.of_plain(value)) for (name, kind), value in kept])
        if model["normaliser"].features_ != model["estimator"].features_:
            raise refused("its steps learned different features")
        if filter_hash != model.filter_hash:
            raise refused(
                f"its filter was {str(filter_hash)[:12]}, this installation's is {model.filter_hash[:12]}: train it "
                "again here, or serve it by the version that trained it"
            )
        return model


def pipeline(model: Any = None) -> NightPipeline:
    """All steps with their defaults, around an estimator of scikit-learn; Ridge if not given."""
    steps = [OutlierFilter(), Normaliser(), LookbackLowess(), Estimator(Ridge() if model is None else model)]
    return NightPipeline(list(zip(STEPS, steps, strict=True)))
