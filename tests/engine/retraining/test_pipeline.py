from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, Ridge

from engine.errors import UserError
from engine.retraining.estimator import Estimator
from engine.retraining.lookback_lowess import LookbackLowess
from engine.retraining.normaliser import Normaliser
from engine.retraining.outlier_filter import OutlierFilter
from engine.retraining.pipeline import STEPS, NightPipeline, pipeline
from tests.engine.retraining.persons import TARGET, fitted, rows

NIGHTS = rows(2).drop(TARGET)


@pytest.fixture(scope="module")
def model() -> NightPipeline:
    return fitted()


def test_it_is_a_pipeline_of_scikit_learn(model: NightPipeline) -> None:
    copy = clone(model).set_params(smoother__look_back=9, estimator__model__alpha=2.0)
    assert copy.get_params()["smoother__look_back"] == 9
    assert model["smoother"].look_back == 7
    frame = rows(1)
    again = clone(model).fit(frame.drop(TARGET), frame[TARGET].to_numpy())
    assert again.serialise() == model.serialise()
    assert model.score(frame.drop(TARGET), frame[TARGET].to_numpy()) > 0.2


def test_a_round_trip_in_a_new_process(model: NightPipeline) -> None:
    """H7.7."""
    code = (
        "import sys; from engine.retraining.pipeline import NightPipeline; from tests.engine.retraining.test_pipeline "
        "import NIGHTS; model = NightPipeline.deserialise(sys.stdin.read()); "
        "print(model.sha256, model.filter_hash, model.predict(NIGHTS).tobytes().hex())"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, input=model.serialise(), capture_output=True, text=True, timeout=120, check=True)
    sha256, filter_hash, answers = done.stdout.split()
    assert (sha256, filter_hash) == (model.sha256, model.filter_hash)
    assert bytes.fromhex(answers) == model.predict(NIGHTS).tobytes()


def test_every_step_comes_back(model: NightPipeline) -> None:
    for name, kind in STEPS.items():
        step = model[name]
        again = kind.deserialise(step.serialise())
        assert again.serialise() == step.serialise()
        if name != "estimator":
            assert again.transform(NIGHTS).equals(step.transform(NIGHTS))


def test_later_nights_change_no_earlier_answer(model: NightPipeline) -> None:
    """H7.5: deleted, or others."""
    whole = model.serve(NIGHTS)
    names = pl.col("hr_median", "rr_median", "wst_median")
    for cut in sorted(set(NIGHTS["night_date"]))[::9]:
        early = NIGHTS["night_date"] <= cut
        other = NIGHTS.with_columns(pl.when(early).then(names).otherwise(names * 1.3 + 1))
        for frame in (NIGHTS.filter(early), other):
            served = model.serve(frame)
            mine = served.answers.filter(pl.col("night_date") <= cut)
            assert mine.equals(whole.answers.filter(pl.col("night_date") <= cut))
            told = served.decisions.filter(pl.col("night_date") <= cut)
            assert told.equals(whole.decisions.filter(pl.col("night_date") <= cut))


def test_later_nights_change_nothing_that_was_learned() -> None:
    """H7.5: a fit knows the rows that it is given, so a cut-off is a filter of rows."""
    frame = rows(1)
    cut = frame["night_date"].sort()[frame.height // 2]
    other = frame.with_columns(pl.when(pl.col("night_date") <= cut).then(pl.col("hr_median")).otherwise(99.0))
    texts = []
    for one in (frame, other):
        known = one.filter(pl.col("night_date") <= cut)
        texts.append(pipeline().fit(known.drop(TARGET), known[TARGET].to_numpy()).serialise())
    assert texts[0] == texts[1]


def test_order_and_company_change_nothing(model: NightPipeline) -> None:
    answers = model.serve(NIGHTS).answers
    assert model.serve(NIGHTS.reverse()).answers.equals(answers.reverse())
    one = NIGHTS["subject_id"][0]
    assert model.serve(NIGHTS.filter(subject_id=one)).answers.equals(answers.filter(subject_id=one))
    frame = rows(1).sort("subject_id", descending=True)
    assert pipeline().fit(frame.drop(TARGET), frame[TARGET].to_numpy()).serialise() == model.serialise()


def test_an_answer_or_null_for_every_row(model: NightPipeline) -> None:
    served = model.serve(NIGHTS)
    assert served.answers.select("subject_id", "night_date").equals(NIGHTS.select("subject_id", "night_date"))
    assert 0.4 < 1 - served.answers["answer"].null_count() / NIGHTS.height < 1
    assert served.answers["answer"].is_nan().sum() == 0
    assert served.answers["filter_hash"].unique().to_list() == [model.filter_hash]
    assert model.serve(NIGHTS.clear()).answers.is_empty()


def test_a_classifier_too() -> None:
    frame = rows(1).with_columns(pl.col(TARGET).gt(0).cast(pl.Float64))
    found = pipeline(LogisticRegression()).fit(frame.drop(TARGET), frame[TARGET].to_numpy())
    again = NightPipeline.deserialise(found.serialise())
    assert again.predict(NIGHTS).tobytes() == found.predict(NIGHTS).tobytes()
    assert set(again.serve(NIGHTS).answers["answer"].drop_nulls()) == {0.0, 1.0}


def forged(model: NightPipeline, **changes: Any) -> str:
    return json.dumps(json.loads(model.serialise()) | changes)


def test_forged_text_is_refused(model: NightPipeline) -> None:
    value = json.loads(model.serialise())
    steps = value["steps"]
    no_mad = steps["normaliser"] | {"learned": steps["normaliser"]["learned"] | {"mad": [-1.0, 1.0, 1.0]}}
    fewer = {"features": ["hr_median"], "median": [1.0], "mad": [1.0]}
    for changes in (
        {"filter_hash": "0" * 64}, {"filter_hash": None}, {"steps": []}, {"steps": {}}, {"code": "import os"},
        {"steps": {name: steps[name] for name in reversed(steps)} | {"more": steps["outliers"]}},
        {"steps": steps | {"outliers": steps["normaliser"]}},
        {"steps": steps | {"normaliser": no_mad}},
        {"steps": steps | {"normaliser": steps["normaliser"] | {"learned": fewer}}},
        {"steps": steps | {"outliers": steps["outliers"] | {"learned": [1]}}},
    ):  # fmt: skip
        with pytest.raises(UserError, match="stored model is refused"):
            NightPipeline.deserialise(forged(model, **changes))
    sizes = steps["smoother"]["parameters"] | {"look_back": 10**9}
    with pytest.raises(UserError, match="look_back must be a whole number from 3 to 366"):
        NightPipeline.deserialise(forged(model, steps=steps | {"smoother": steps["smoother"] | {"parameters": sizes}}))


def test_another_filter_is_not_served(model: NightPipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """H7.6: a model whose filter decided by other code or parameters is refused."""
    text = model.serialise()
    value = json.loads(text)
    value["steps"]["outliers"]["parameters"]["most"] = 13
    with pytest.raises(UserError, match="its filter was"):
        NightPipeline.deserialise(json.dumps(value))
    monkeypatch.setattr("engine.retraining.outlier_filter.closure", lambda name: {name: "0" * 64})
    with pytest.raises(UserError, match="train it again here"):
        NightPipeline.deserialise(text)


def test_other_steps_are_refused() -> None:
    swapped = [("outliers", OutlierFilter()), ("smoother", LookbackLowess()), ("normaliser", Normaliser())]
    with pytest.raises(UserError, match="the steps must be"):
        NightPipeline([*swapped, ("estimator", Estimator(Ridge()))]).serialise()
    with pytest.raises(UserError, match="not fitted"):
        pipeline().serialise()


def test_it_finds_what_is_hidden(model: NightPipeline) -> None:
    frame = rows(2)
    answer, y = model.predict(frame.drop(TARGET)), frame[TARGET].cast(pl.Float64).to_numpy()
    both = np.isfinite(answer) & np.isfinite(y)
    assert np.corrcoef(answer[both], y[both])[0, 1] > 0.7


def test_damage_gives_a_refusal_or_a_model_and_nothing_else(model: NightPipeline) -> None:
    text = model.serialise()
    rng = np.random.default_rng(0)
    opened = 0
    for _ in range(200):
        at, length = rng.integers(len(text)), int(rng.integers(4))
        other = str(rng.choice(list('{}[]",:0123456789eE+-.nul\\ _\x00é'))) * int(rng.integers(3))
        try:
            found = NightPipeline.deserialise(text[:at] + other + text[at + length :])
        except UserError:
            continue
        opened += 1
        assert len(found.predict(NIGHTS)) == NIGHTS.height
        assert NightPipeline.deserialise(found.serialise()).sha256 == found.sha256
    assert 0 < opened < 100
