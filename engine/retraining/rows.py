"""Nights as the steps take and give them: a frame of `subject_id`, `night_date` and features, one row a person and
night, in any order. A null is a missing value; a row is never dropped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.errors import UserError

Floats = NDArray[np.float64]
SUBJECT, DATE = "subject_id", "night_date"


@dataclass(frozen=True, slots=True)
class Persons:
    """(n,) each. order: the rows by person and date; person: from 0, in that order; day: of the date, in that order."""

    order: NDArray[np.int64]
    person: NDArray[np.int64]
    day: Floats


def check(nights: pl.DataFrame) -> None:
    """Raises `UserError` where the two columns are missing, of another type or null, or a person has a night twice."""
    kinds = {SUBJECT: pl.String, DATE: pl.Date}
    for name, kind in kinds.items():
        if nights.schema.get(name) != kind or nights[name].null_count():
            raise UserError(f"nights: column {name} must be there, of type {kind}, and without nulls")
    if nights.select(pl.struct(SUBJECT, DATE).is_duplicated().any()).item():
        raise UserError("nights: a person has a night twice; the view `nights` of an output shows the best of them")


def persons(nights: pl.DataFrame) -> Persons:
    """Raises as `check`."""
    check(nights)
    order = nights.select(pl.arg_sort_by(SUBJECT, DATE).cast(pl.Int64)).to_series().to_numpy(writable=True)
    ids = nights.select(SUBJECT, DATE)[order]
    person = ids[SUBJECT].rle_id().cast(pl.Int64).to_numpy(writable=True)
    return Persons(order, person, ids[DATE].to_physical().cast(pl.Float64).to_numpy(writable=True))


def features_of(nights: pl.DataFrame) -> list[str]:
    """Names of all other columns. Raises `UserError` where one is not of numbers, or there is none."""
    names = [name for name in nights.columns if name not in (SUBJECT, DATE)]
    odd = [name for name in names if not nights.schema[name].is_numeric()]
    if odd or not names:
        raise UserError(f"nights: features are columns of numbers, {', '.join(odd) or 'and there is none'}")
    return names


def values(nights: pl.DataFrame, name: str) -> Floats:
    """(n,) float64, NaN = missing; an infinite value is missing, too."""
    found = nights[name].cast(pl.Float64).to_numpy()
    return np.where(np.isfinite(found), found, np.nan)


def each(nights: pl.DataFrame, change: Callable[[str, Floats, Persons], Floats]) -> pl.DataFrame:
    """The frame with each feature changed. `change` takes and gives (n,) values by person and date."""
    of = persons(nights)
    changed = []
    for name in features_of(nights):
        out = np.empty(nights.height)
        out[of.order] = change(name, values(nights, name)[of.order], of)
        changed.append(pl.Series(name, out, nan_to_null=True))
    return nights.with_columns(changed)
