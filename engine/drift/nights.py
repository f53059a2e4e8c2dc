"""Nights of an output, the best row of each, some columns at a time: millions of them fit into little memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from engine.drift.days import Period
from engine.errors import UserError
from engine.results.open import newest_with, scan
from engine.storage import Store
from kernels.arrays import Flags, Floats

TABLE, NEEDED = "nights", ("subject_id", "night_date")
GOOD_BANDS = ("A", "B")
AT_ONCE = 8
"""Columns in memory together."""
MOST_GROUPS = 200
_BEST_FIRST = {"night_score": True, "recorded_h": True, "source_id": False}
"""The rule of the view `nights`: higher score, then longer, then lower name. Column to whether it descends."""


@dataclass(frozen=True)
class Nights:
    """rows: the best of `frame`'s rows in their order, with `NEEDED`, `_BEST_FIRST`, band, reasons and groups as far as
    there are such columns. places: where each lies in `frame`."""

    frame: pl.LazyFrame
    rows: pl.DataFrame
    places: pl.Series
    features: tuple[str, ...]

    def __len__(self) -> int:
        return self.rows.height

    @property
    def are_good(self) -> Flags:
        """(n,) of band A or B; all of them where nobody judged."""
        if "band" not in self.rows.columns:
            return np.ones(len(self), np.bool_)
        return self.rows["band"].is_in(GOOD_BANDS).fill_null(False).to_numpy()

    def values(self) -> Iterator[tuple[str, Floats]]:
        """Each feature, by name: (n,) float64, NaN = missing."""
        for at in range(0, len(self.features), AT_ONCE):
            names = self.features[at : at + AT_ONCE]
            found = self.frame.select(pl.col(names).cast(pl.Float64)).collect()[self.places]
            for name in names:
                yield name, found[name].fill_null(np.nan).to_numpy()


def module_of(store: Store) -> str:
    """The module_id whose nights are looked at. Raises `UserError` where the output has no nights that can be dated."""
    return newest_with(store, TABLE, NEEDED)


def last_day(store: Store, module_id: str) -> date:
    """The newest night's date. Raises `UserError` where there is no night."""
    found = scan(store, TABLE, module_id).select(pl.col("night_date").max()).collect().item()
    if found is None:
        raise UserError(f"{store.uri}: no night of {module_id} is committed")
    assert isinstance(found, date)
    return found


def read(store: Store, module_id: str, period: Period, groups: tuple[str, ...] = ()) -> Nights:
    """groups: names of further columns to hold. Raises `UserError` where one is no column of text, or tells too many
    groups apart."""
    frame = scan(store, TABLE, module_id)
    schema = frame.collect_schema()
    texts = [name for name, kind in schema.items() if kind == pl.String and name != "module_id"]
    for name in groups:
        if name not in texts:
            raise UserError(f"--by {name}: {TABLE} has no such column of text; it has {', '.join(texts)}")
    frame = frame.filter(pl.col("night_date").is_between(period.first, period.last))
    held = dict.fromkeys((*NEEDED, *_BEST_FIRST, "band", "reasons", *groups))
    rows = frame.select([name for name in held if name in schema]).collect().with_row_index("place")
    order = dict.fromkeys(NEEDED, False) | {name: down for name, down in _BEST_FIRST.items() if name in schema}
    best = rows.sort(list(order), descending=list(order.values()), nulls_last=True)
    places = best.unique(list(NEEDED), keep="first", maintain_order=True)["place"].sort()
    for name in groups:
        if rows[name].n_unique() > MOST_GROUPS:
            raise UserError(f"--by {name}: {rows[name].n_unique():,} groups; at most {MOST_GROUPS} can be compared")
    features = tuple(sorted(name for name, kind in schema.items() if kind.is_numeric()))
    return Nights(frame, rows[places].drop("place"), places, features)
