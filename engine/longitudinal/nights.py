"""Nights of some persons as arrays, the best row of each night, in order of person and date."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from engine.longitudinal.features import FEATURES, PULSE, RATIO
from engine.module import Table

INTO_BASELINES, REJECTED_BANDS = ("A", "B"), ("D",)

_HEADER = [
    pa.field("subject_id", pa.string()),
    pa.field("night_date", pa.date32()),
    pa.field("source_id", pa.string()),
    pa.field("band", pa.string()),
    pa.field("night_score", pa.float64()),
    pa.field("recorded_h", pa.float64()),
]
_MEASURED = [pa.field(one.name, pa.float64()) for one in FEATURES if one.name != RATIO]
READ = Table(pa.schema([*_HEADER, *_MEASURED, pa.field(PULSE, pa.float64())]), (), ())
"""What is read of `nights`. A module may lack features: they have no value then."""
NEEDED = tuple(field.name for field in _HEADER)

_BEST_FIRST = [
    ("subject_id", "ascending"),
    ("night_date", "ascending"),
    ("night_score", "descending"),
    ("recorded_h", "descending"),
    ("source_id", "ascending"),
]
"""The rule of the view `nights`: higher score, then longer, then lower name."""


@dataclass(frozen=True)
class Nights:
    """One row a person and night. person: (n,) int64, from 0."""

    rows: pa.Table
    person: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.person)

    def values(self, name: str) -> NDArray[np.float64]:
        """(n,) float64, NaN = missing."""
        found = self.rows[name].to_numpy().astype(np.float64)
        return np.where(np.isfinite(found), found, np.nan)

    @cached_property
    def counts(self) -> NDArray[np.bool_]:
        """(n,) whether the night may enter baselines."""
        return self._is_of(INTO_BASELINES)

    @cached_property
    def is_rejected(self) -> NDArray[np.bool_]:
        """(n,) whether nothing is to be said of the night."""
        return self._is_of(REJECTED_BANDS)

    def _is_of(self, bands: Sequence[str]) -> NDArray[np.bool_]:
        found = pc.is_in(self.rows["band"], value_set=pa.array(bands))
        return np.asarray(found.to_numpy(), np.bool_)


def best(rows: pa.Table) -> Nights:
    """rows: with the columns of `READ`, in any order."""
    rows = rows.sort_by(_BEST_FIRST).combine_chunks()
    person = _changes(rows["subject_id"])
    first = person | _changes(rows["night_date"])
    number = np.cumsum(person) - 1
    return Nights(rows.filter(pa.array(first)), number[first])


def _changes(column: pa.ChunkedArray) -> NDArray[np.bool_]:
    """(n,) where a value differs from the one before; the first does."""
    codes = column.combine_chunks().dictionary_encode().indices.to_numpy()
    return np.concatenate([np.ones(min(len(codes), 1), np.bool_), codes[1:] != codes[:-1]])
