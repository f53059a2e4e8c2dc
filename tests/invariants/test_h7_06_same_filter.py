"""H7.6: what is implausible is one function's to say, for nights, hours, the series that models are fitted to and the
nights that a retraining learns from; training and serving decide alike."""

from __future__ import annotations

import re
from pathlib import Path

from engine.backtest.series import clean, hourly
from engine.backtest.serve import ensemble
from engine.night.formats import readings
from engine.retraining import decisions
from engine.retraining.pipeline import NightPipeline, pipeline
from engine.retraining.settings import Settings, frozen
from engine.retraining.train import train
from engine.vitals import hours, plausibility
from tests.engine.retraining.persons import TARGET, rows

ENGINE = Path(__file__).resolve().parents[2] / "engine"


def test_all_judge_plausibility_by_one_function() -> None:
    assert hours.plausible is ensemble.plausible is readings.plausible is plausibility.plausible
    assert decisions.plausible is plausibility.plausible
    assert clean.LIMITS is hourly.LIMITS is ensemble.LIMITS is plausibility.LIMITS
    assert hours.within_rate is hourly.within_rate is plausibility.within_rate
    assert clean.to_celsius is readings.to_celsius is plausibility.to_celsius
    judging = re.compile(r"""^def plausible\b|["']hr_bpm["']: *Limits\(""", re.MULTILINE)
    defining = [path.name for path in ENGINE.rglob("*.py") if judging.search(path.read_text())]
    assert defining == ["plausibility.py"]


def test_training_and_serving_decide_alike_and_say_so() -> None:
    frame = rows(13)
    settings = Settings(space={"outliers__most": [10], "smoother__look_back": [5]}, n_iter=1, cuts=1)
    trained = train(frame, TARGET, pipeline(), settings)
    taught = frame.filter(~frozen(frame, settings.frozen_share)).drop(TARGET)
    served = NightPipeline.deserialise(trained.model.serialise()).serve(taught)
    judged = trained.model["outliers"].decisions(taught)
    assert served.decisions.equals(judged)
    assert trained.record["decisions"] == dict(judged.group_by("reason").len().sort("reason").iter_rows())
    assert served.answers["filter_hash"].unique().to_list() == [trained.record["filter_hash"]]
