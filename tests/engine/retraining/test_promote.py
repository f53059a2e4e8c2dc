from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from engine.errors import UserError
from engine.retraining.lookback_lowess import LookbackLowess
from engine.retraining.pipeline import pipeline
from engine.retraining.promote import Stored, promote
from engine.retraining.settings import Settings, frozen
from engine.retraining.train import train
from tests.engine.retraining.persons import TARGET, rows

SETTINGS = Settings(space={"smoother__look_back": [5]}, n_iter=1, folds=2, cuts=1)
ROWS = rows(12, 30)


def stored(frame: pl.DataFrame, settings: Settings = SETTINGS) -> Stored:
    found = train(frame, TARGET, pipeline(), settings)
    return found.model, found.record


@pytest.fixture(scope="module")
def good() -> Stored:
    return stored(ROWS)


@pytest.fixture(scope="module")
def poor() -> Stored:
    """Learned from a target that says nothing."""
    return stored(ROWS.with_columns(pl.col(TARGET).shuffle(1)))


def test_the_better_one_is_promoted_and_the_worse_is_not(good: Stored, poor: Stored) -> None:
    up, down = promote(good, poor, ROWS), promote(poor, good, ROWS)
    assert up.is_promoted
    assert up.against == ()
    assert not down.is_promoted
    assert "the margin is 0.01" in down.against[0]
    assert (up.candidate_score, up.current_score) == (down.current_score, down.candidate_score)
    assert up.candidate_score > up.current_score + 0.01


def test_only_frozen_persons_judge(good: Stored, poor: Stored) -> None:
    held = ROWS.filter(frozen(ROWS, 0.2))
    assert promote(good, poor, held) == promote(good, poor, ROWS)
    assert promote(good, poor, ROWS).nights < held.height
    with pytest.raises(UserError, match="none is of a frozen person"):
        promote(good, poor, ROWS.filter(~frozen(ROWS, 0.2)))


def test_the_same_again_is_not_better(good: Stored) -> None:
    assert not promote(good, good, ROWS).is_promoted


def test_the_first_one_needs_its_invariants_only(good: Stored) -> None:
    verdict = promote(good, None, ROWS)
    assert verdict.is_promoted
    assert np.isnan(verdict.current_score)


def test_it_must_answer_no_fewer_nights(good: Stored) -> None:
    slow = replace(SETTINGS, space={"smoother__look_back": [14]})
    verdict = promote(stored(ROWS, slow), good, ROWS)
    assert any("nights, the current model" in one for one in verdict.against)


def looks_ahead(step: LookbackLowess, nights: pl.DataFrame) -> pl.DataFrame:
    features = pl.exclude("subject_id", "night_date")
    return nights.with_columns(features.mean().over("subject_id"))


def by_rows(step: LookbackLowess, nights: pl.DataFrame) -> pl.DataFrame:
    return nights.with_columns(pl.exclude("subject_id", "night_date").cum_sum())


@pytest.mark.parametrize(("transform", "told"), [(looks_ahead, "H7.5"), (by_rows, "H7.9")])
def test_a_broken_invariant_stops_it(good: Stored, monkeypatch: pytest.MonkeyPatch, transform: Any, told: str) -> None:
    monkeypatch.setattr(LookbackLowess, "transform", transform)
    assert any(one.startswith(told) for one in promote(good, None, ROWS).against)


@pytest.mark.parametrize(("field", "told"), [("model_sha256", "H7.7"), ("filter_hash", "H7.6")])
def test_a_record_of_another_model_stops_it(good: Stored, field: str, told: str) -> None:
    model, record = good
    (against,) = promote((model, dict(record) | {field: "0" * 64}), None, ROWS).against
    assert against.startswith(told)


def test_models_of_other_tasks_are_not_compared(good: Stored) -> None:
    other = stored(ROWS, replace(SETTINGS, frozen_share=0.3))
    with pytest.raises(UserError, match="differ in target and frozen_share"):
        promote(other, good, ROWS)
