"""A stored fit as something that forecasts again, out of its row in `fits` alone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl

from engine.backtest.contract import Floats, Model, Params, Paths
from engine.backtest.fits.batch import FitStatus
from engine.backtest.grid import ModelSpec
from engine.backtest.models.registry import refer
from engine.errors import UserError
from engine.results.open import scan
from engine.storage import Store


@dataclass(frozen=True, slots=True)
class Reloaded:
    """One fit. `data_end` is the last observed hour that it learned from: what it forecasts begins an hour later."""

    fit_id: str
    subject_id: str
    vital: str
    cutoff: datetime
    data_end: datetime
    model: Model
    params: Params

    def forecast(self, steps: int, after: Floats | None = None) -> Paths:
        """One row of `steps` hours. `after`: (k,) float64, finite, the hours since `data_end` that came meanwhile."""
        seen = np.zeros(0) if after is None else np.ascontiguousarray(after, np.float64)
        return self.model.predict(self.params, seen, np.array([len(seen)], np.int64), steps)


def reload(store: Store, fit_id: str, models: Iterable[ModelSpec] = (), season_h: int = 24) -> Reloaded:
    """A fit of a backtest's output.

    `models` are those of the sweep that have parameters or names of their own; any other goes by its built-in name.
    Raises `UserError` where the fit is unknown, or has no parameters: then with the reason and what to do.
    """
    found = scan(store, "fits").filter(pl.col("fit_id") == fit_id).collect()
    if found.is_empty():
        raise UserError(f"{store.uri}: no fit {fit_id}; `select fit_id from fits` lists them")
    row = found.sort("params_json", nulls_last=True).row(0, named=True)
    if row["params_json"] is None:
        raise UserError(f"{store.uri}: fit {fit_id} {_why_not(row)}")
    named = {spec.name: spec for spec in models}
    (ref,) = refer([named.get(row["model"], ModelSpec(row["model"], row["model"]))], season_h)
    about = {name: row[name] for name in ("fit_id", "subject_id", "vital", "cutoff", "data_end")}
    return Reloaded(**about, model=ref.load(), params=json.loads(row["params_json"]))


def _why_not(row: Mapping[str, Any]) -> str:
    """Why a fit's row has no parameters, and what to do about it."""
    if row["status"] != FitStatus.OK:
        return f"learned nothing, its status is {row['status']}: {row['error_message'] or 'no reason given'}"
    if row.get("params_dropped"):
        again = "the same backtest into another output, with `keep_params: all`, makes them again"
        return f"had its parameters dropped by age (`nightmill gc --params-days`); {again}"
    return "did not store its parameters; `keep_params: all` stores all"
