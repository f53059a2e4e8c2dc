"""A trained model as three files of a folder: model.json, record.json and cv_results.parquet."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any
from uuid import uuid4

from engine.errors import UserError
from engine.identity import canonical_json
from engine.retraining.pipeline import NightPipeline
from engine.retraining.plain import MOST_BYTES, fields, read, refused
from engine.retraining.settings import Settings
from engine.retraining.train import FIELDS, Trained, sha256_of

MODEL, RECORD, RESULTS = "model.json", "record.json", "cv_results.parquet"


def save(trained: Trained, folder: Path) -> None:
    """Writes a new folder, whole or not at all. Raises `UserError` where it is there already: a model never changes."""
    making = folder.with_name(f".{folder.name}.{uuid4().hex}")
    making.mkdir(parents=True)
    (making / MODEL).write_text(trained.model.serialise(), "utf-8")
    (making / RECORD).write_text(canonical_json(trained.record), "utf-8")
    trained.cv_results.write_parquet(making / RESULTS)
    try:
        making.rename(folder)
    except OSError as error:
        shutil.rmtree(making)
        raise UserError(f"{folder}: a model is never overwritten; choose another folder") from error


def load(folder: Path) -> tuple[NightPipeline, dict[str, Any]]:
    """The model and its record. Raises `UserError` where they are missing, damaged or not of one another; executes
    nothing of them."""
    model, record = NightPipeline.deserialise(_text(folder / MODEL)), _record(_text(folder / RECORD))
    if record["model_sha256"] != model.sha256:
        raise refused(f"{folder / RECORD} is of another model")
    return model, record


def _record(text: str) -> dict[str, Any]:
    """Its config is checked: `promote` goes by it."""
    record = dict(zip(FIELDS, fields(read(text), FIELDS, RECORD), strict=True))
    _, settings, target = fields(record["config"], ("pipeline", "settings", "target"), "its config")
    names = list(Settings().plain())
    Settings(**dict(zip(names, fields(settings, names, "its settings"), strict=True)))
    if not isinstance(target, str) or record["config_sha256"] != sha256_of(record["config"]):
        raise refused(f"the config in {RECORD} was changed")
    return record


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise refused(f"{path} cannot be read ({error})") from error
