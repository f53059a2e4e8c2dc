"""Whether a new model may replace the one that serves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from engine.errors import UserError
from engine.retraining.pipeline import NightPipeline
from engine.retraining.rows import Floats, persons
from engine.retraining.settings import frozen


@dataclass(frozen=True, slots=True)
class Verdict:
    """against: why not, one sentence each; none = promoted. Scores are over the nights that both models answer; the
    current model's is NaN where there is none."""

    against: tuple[str, ...]
    candidate_score: float
    current_score: float
    nights: int

    @property
    def is_promoted(self) -> bool:
        return not self.against


Stored = tuple[NightPipeline, Mapping[str, Any]]
"""A model and its record."""


def promote(candidate: Stored, current: Stored | None, rows: pl.DataFrame) -> Verdict:
    """Judges by the nights of the frozen persons, of whom neither model saw any.

    rows: as `train` takes them; persons who are not frozen are left out. The candidate needs a score better by the
    margin that was settled before its training, answers for no fewer nights, and every invariant of `broken`. Raises
    `UserError` where the two models cannot be compared.
    """
    model, record = candidate
    settings, target = record["config"]["settings"], record["config"]["target"]
    _refuse_other_task(record, current)
    mine = rows.filter(frozen(rows, settings["frozen_share"]))
    if mine.is_empty():
        raise UserError("nights: none is of a frozen person, so there is nothing to judge by")
    nights, y = mine.drop(target), mine[target].cast(pl.Float64).to_numpy()
    against = list(broken(model, record, nights))
    answers = model.predict(nights)
    counted = np.isfinite(answers) & np.isfinite(y)
    before = np.nan
    if current is not None:
        others = np.isfinite(current[0].predict(nights)) & np.isfinite(y)
        if counted.sum() < others.sum():
            against.append(f"it answers {counted.sum()} nights, the current model {others.sum()}")
        counted &= others
        before = _score(current[0], nights, y, counted)
    score = _score(model, nights, y, counted)
    if current is not None and not score >= before + settings["margin"]:
        against.append(f"it scores {score:.6g}, the current model {before:.6g}; the margin is {settings['margin']:g}")
    return Verdict(tuple(against), score, before, int(counted.sum()))


def broken(model: NightPipeline, record: Mapping[str, Any], nights: pl.DataFrame) -> Iterator[str]:
    """The invariants of DOMAIN H7 that the model breaks over these nights, one sentence each."""
    answers = model.predict(nights)
    again = NightPipeline.deserialise(model.serialise())
    if not _same(again.predict(nights), answers) or again.sha256 != record["model_sha256"]:
        yield "H7.7: stored and opened again, it answers otherwise or has another hash"
    if model.filter_hash != record["filter_hash"]:
        yield "H7.6: its filter is not the one of its training"
    of = persons(nights)
    early = np.sort(of.order[of.day <= np.median(of.day)])
    if not _same(model.predict(nights[early]), answers[early]):
        yield "H7.5: later nights change earlier answers"
    if not _same(model.predict(nights[of.order[::-1]]), answers[of.order[::-1]]):
        yield "H7.9: the order of the rows changes answers"


def _refuse_other_task(record: Mapping[str, Any], current: Stored | None) -> None:
    if current is None:
        return
    configs = (record["config"], current[1]["config"])
    mine, theirs = ((one["target"], one["settings"]["frozen_share"]) for one in configs)
    if mine != theirs:
        raise UserError(f"the two models differ in target and frozen_share, {mine} and {theirs}: train one anew")


def _score(model: NightPipeline, nights: pl.DataFrame, y: Floats, counted: Any) -> float:
    return float(model.score(nights, np.where(counted, y, np.nan)))


def _same(one: Floats, other: Floats) -> bool:
    return one.tobytes() == other.tobytes()
