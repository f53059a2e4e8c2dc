"""From nights and a target to a model and the record of how it came to be."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import polars as pl
from sklearn.base import clone
from sklearn.model_selection import RandomizedSearchCV

from engine.code.libraries import versions
from engine.errors import UserError
from engine.identity import canonical_json
from engine.retraining.pipeline import NightPipeline
from engine.retraining.rows import DATE, SUBJECT, persons
from engine.retraining.settings import Settings, frozen
from engine.retraining.split import PersonsLater

LIBRARIES = ("scikit-learn", "scipy")
FIELDS = (
    "model_sha256", "filter_hash", "parameters", "metrics", "decisions", "manifest", "config", "config_sha256",
    "versions",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Trained:
    """record: JSON values, see `train`; cv_results: a row a draw."""

    model: NightPipeline
    record: Mapping[str, Any]
    cv_results: pl.DataFrame


def train(
    rows: pl.DataFrame, target: str, blueprint: NightPipeline, settings: Settings, reads_from: str = ""
) -> Trained:
    """Searches and fits over the nights of all persons that are not frozen, see `settings.frozen`.

    rows: subject_id, night_date, features and the column `target` (numbers, null = unknown), in any order. reads_from:
    the module_id of the nights. Raises `UserError` where rows, space or estimator cannot be used.

    The record has `FIELDS` and names no person. Among them are metrics (mean and sd of the test score of the chosen
    draw, share of training nights with an answer), decisions (how many values were not believed, by reason), manifest
    (of the training rows) and config (blueprint, settings with the seed, target).
    """
    if target not in rows.columns:
        raise UserError(f"nights: there is no column {target}")
    mine = rows.filter(~frozen(rows, settings.frozen_share))
    mine = mine[persons(mine).order]
    nights, y = mine.drop(target), mine[target].cast(pl.Float64).to_numpy()
    config = {"pipeline": blueprint.parameters(), "settings": settings.plain(), "target": target}
    search = _search(blueprint, settings).fit(nights, y)
    model, best = search.best_estimator_, int(search.best_index_)
    decisions = model["outliers"].decisions(nights)
    record = {
        "model_sha256": model.sha256,
        "filter_hash": model.filter_hash,
        "parameters": model.parameters(),
        "metrics": {
            "test_score_mean": float(search.cv_results_["mean_test_score"][best]),
            "test_score_sd": float(search.cv_results_["std_test_score"][best]),
            "answered": float(np.isfinite(model.predict(nights)).mean()),
        },
        "decisions": dict(decisions.group_by("reason").len().sort("reason").iter_rows()),
        "manifest": {"reads_from": reads_from} | _manifest(mine),
        "config": config,
        "config_sha256": sha256_of(config),
        "versions": versions() | {name: version(name) for name in LIBRARIES},
    }
    return Trained(model, record, _results(search.cv_results_))


def sha256_of(config: Any) -> str:
    return hashlib.sha256(canonical_json(config).encode()).hexdigest()


def _search(blueprint: NightPipeline, settings: Settings) -> RandomizedSearchCV:
    unknown = sorted(settings.space.keys() - blueprint.get_params().keys())
    if unknown:
        raise UserError(f"space: there is no parameter {', '.join(unknown)}")
    return RandomizedSearchCV(
        clone(blueprint),
        {name: list(values) for name, values in settings.space.items()},
        n_iter=min(settings.n_iter, math.prod(len(values) for values in settings.space.values())),
        cv=PersonsLater(settings.folds, settings.cuts, settings.gap_days),
        random_state=settings.seed,
        error_score="raise",
    )


def _results(found: Mapping[str, Any]) -> pl.DataFrame:
    """Parameters as JSON, and scores; what a draw took in seconds is no result."""
    scores = {name: np.asarray(values) for name, values in found.items() if name.endswith("_score")}
    scores["rank_test_score"] = scores["rank_test_score"].astype(np.int64)
    return pl.DataFrame({"parameters": [canonical_json(one) for one in found["params"]]} | scores)


def _manifest(mine: pl.DataFrame) -> dict[str, Any]:
    """How many rows and persons, from when to when, and a SHA-256 of columns and values. mine: sorted."""
    held = hashlib.sha256(canonical_json([(name, str(kind)) for name, kind in mine.schema.items()]).encode())
    for name, kind in mine.schema.items():
        column = mine[name]
        held.update(column.is_null().to_numpy().tobytes())
        if kind.is_numeric():
            x = column.cast(pl.Float64).fill_null(0.0).to_numpy() + 0.0
            held.update(np.where(np.isnan(x), np.nan, x).astype("<f8").tobytes())
        else:
            held.update(canonical_json(column.cast(pl.String).to_list()).encode())
    ends = {"first": str(mine[DATE].min()), "last": str(mine[DATE].max())}
    return {"rows": mine.height, "persons": mine[SUBJECT].n_unique()} | ends | {"sha256": held.hexdigest()}
