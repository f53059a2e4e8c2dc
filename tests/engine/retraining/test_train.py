from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sklearn.linear_model import Lasso, Ridge

from engine.errors import UserError
from engine.retraining.pipeline import pipeline
from engine.retraining.plain import MOST_BYTES
from engine.retraining.settings import Settings, frozen
from engine.retraining.stored import MODEL, RECORD, RESULTS, load, save
from engine.retraining.train import Trained, train
from tests.engine.retraining.persons import TARGET, rows

SETTINGS = Settings(space={"smoother__look_back": [5, 7], "estimator__model__alpha": [0.1, 10.0]}, n_iter=3, cuts=1)
ROWS = rows(11, 24)


@pytest.fixture(scope="module")
def trained() -> Trained:
    return train(ROWS, TARGET, pipeline(), SETTINGS, reads_from="night-0123456789ab")


def test_the_record_says_how_the_model_came_to_be(trained: Trained) -> None:
    record = json.loads(json.dumps(trained.record))
    mine = ROWS.filter(~frozen(ROWS, 0.2))
    assert record["manifest"] == {
        "reads_from": "night-0123456789ab", "rows": mine.height, "persons": mine["subject_id"].n_unique(),
        "first": "2026-01-01", "last": "2026-03-01", "sha256": record["manifest"]["sha256"],
    }  # fmt: skip
    assert 0 < mine.height < ROWS.height
    assert record["model_sha256"] == trained.model.sha256
    assert record["filter_hash"] == trained.model.filter_hash
    assert record["parameters"]["smoother"]["look_back"] in (5, 7)
    assert record["config"]["settings"]["seed"] == 0
    assert {"scikit-learn", "numpy", "numba", "polars", "python"} <= record["versions"].keys()
    chosen = trained.cv_results.filter(rank_test_score=1)
    assert record["metrics"]["test_score_mean"] == chosen["mean_test_score"][0] > 0
    assert trained.cv_results.height == 3
    assert json.loads(chosen["parameters"][0]).keys() == set(SETTINGS.space)
    assert not any(name in json.dumps(record) for name in ROWS["subject_id"].unique())


def test_the_same_again_and_in_any_order(trained: Trained) -> None:
    again = train(ROWS.reverse(), TARGET, pipeline(), SETTINGS, reads_from="night-0123456789ab")
    assert again.record == trained.record
    assert again.cv_results.equals(trained.cv_results)


def test_what_changes_the_manifest_and_the_config(trained: Trained) -> None:
    others = [
        train(ROWS.with_columns(pl.col("hr_median") + 1e-9), TARGET, pipeline(), SETTINGS),
        train(ROWS, TARGET, pipeline(), Settings(space=SETTINGS.space, n_iter=3, cuts=1, margin=0.5)),
        train(ROWS, TARGET, pipeline(Lasso()), SETTINGS),
    ]
    records = [trained.record, *(one.record for one in others)]
    manifests, configs = ([one[name] for one in records] for name in ("manifest", "config_sha256"))
    assert [one["sha256"] == manifests[0]["sha256"] for one in manifests] == [True, False, True, True]
    assert [one == configs[0] for one in configs] == [True, True, False, False]


def test_frozen_persons_stay_frozen_and_teach_nothing(trained: Trained) -> None:
    held = frozen(ROWS, 0.2)
    assert 0 < held.sum() < ROWS.height / 2
    assert ROWS.filter(held)["subject_id"].n_unique() + ROWS.filter(~held)["subject_id"].n_unique() == 24
    some = ROWS.filter(pl.col("subject_id") != ROWS["subject_id"][0])
    assert frozen(some, 0.2).equals(held.filter(ROWS["subject_id"] != ROWS["subject_id"][0]))
    assert not (frozen(ROWS, 0.1) & ~held).any()
    other = ROWS.with_columns(pl.when(held).then(99.0).otherwise(pl.col("hr_median")).alias("hr_median"))
    assert train(other, TARGET, pipeline(), SETTINGS).record["model_sha256"] == trained.record["model_sha256"]


def test_stored_and_opened(trained: Trained, tmp_path: Path) -> None:
    save(trained, tmp_path / "models" / "one")
    model, record = load(tmp_path / "models" / "one")
    assert model.serialise() == trained.model.serialise()
    assert record == json.loads(json.dumps(trained.record))
    assert pl.read_parquet(tmp_path / "models" / "one" / RESULTS).equals(trained.cv_results)
    with pytest.raises(UserError, match="never overwritten"):
        save(trained, tmp_path / "models" / "one")
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["one"]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        (MODEL, lambda text: text[:-5]),
        (MODEL, lambda text: text.replace('"intercept":', '"intercept":1')),
        (MODEL, lambda text: text + " " * MOST_BYTES),
        (MODEL, lambda text: "\x80\x04cposix\nsystem\n"),
        (RECORD, lambda text: "{}"),
        (RECORD, lambda text: text.replace('"margin":0.01', '"margin":0.001')),
        (RECORD, lambda text: text.replace('"margin":0.01', '"margin":"0"')),
        (RECORD, lambda text: text.replace('"seed":0', '"seed":0,"also":1')),
        (RECORD, lambda text: text.replace('"model_sha256":"', '"model_sha256":"0')),
    ],
)
def test_a_folder_that_was_changed_is_refused(trained: Trained, tmp_path: Path, name: str, change: Any) -> None:
    save(trained, tmp_path / "one")
    path = tmp_path / "one" / name
    text = path.read_text()
    assert change(text) != text
    path.write_text(change(text), "utf-8")
    with pytest.raises(UserError):
        load(tmp_path / "one")


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"gap_days": 6}, "gap_days"),
        ({"folds": 1}, "folds"),
        ({"margin": 0.0}, "margin"),
        ({"margin": float("nan")}, "margin"),
        ({"frozen_share": 1.0}, "frozen_share"),
        ({"space": {}}, "space"),
        ({"space": {"smoother__look_back": 7}}, "space"),
        ({"space": "all"}, "space"),
        ({"n_iter": 0}, "n_iter"),
    ],
)
def test_settings_that_cannot_be(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(UserError, match=told):
        Settings(**wrong)


def test_what_cannot_be_trained() -> None:
    with pytest.raises(UserError, match="without nulls"):
        train(ROWS.with_columns(subject_id=pl.lit(None, pl.String)), TARGET, pipeline(), SETTINGS)
    with pytest.raises(UserError, match="persons are too few"):
        train(ROWS.filter(subject_id=ROWS["subject_id"][0]), TARGET, pipeline(), replace(SETTINGS, frozen_share=1e-9))
    with pytest.raises(UserError, match="no column label"):
        train(ROWS, "label", pipeline(), SETTINGS)
    with pytest.raises(UserError, match="no parameter smoother__size"):
        train(ROWS, TARGET, pipeline(), Settings(space={"smoother__size": [1]}))
    with pytest.raises(UserError, match="never as a pickle"):
        train(ROWS, TARGET, pipeline(object()), SETTINGS)
    with pytest.raises(UserError, match="look_back must be"):
        train(ROWS, TARGET, pipeline(Ridge()), Settings(space={"smoother__look_back": [0]}))
