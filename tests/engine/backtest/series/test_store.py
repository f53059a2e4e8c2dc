"""Frozen series come back as they were, and their description says what they hold."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from engine.backtest.series import store as frozen
from engine.backtest.series.clean import series_of
from engine.backtest.series.describe import data_hash, describe, rows
from engine.backtest.series.series import Readings, Series
from engine.backtest.series.table import SERIES
from engine.errors import UserError
from engine.storage import Store

from .rows import frame, one, random_rows

NAN = np.nan


@pytest.fixture
def store(tmp_path: object) -> Store:
    return Store(str(tmp_path))


def same(a: Series, b: Series) -> bool:
    simple = [(s.subject_id, s.vital, s.start, s.values.tobytes(), s.corrections, s.readings is None) for s in (a, b)]
    if simple[0] != simple[1] or a.readings is None or b.readings is None:
        return simple[0] == simple[1]
    return all(getattr(a.readings, n).tobytes() == getattr(b.readings, n).tobytes() for n in Readings.__slots__)


def test_what_was_frozen_comes_back(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frozen, "PART_SERIES", 2)
    late = random_rows(2, 100, late=True).with_columns(subject_id=pl.lit("b"))
    series = [*series_of(random_rows(1, 100)), *series_of(late)]
    index = frozen.freeze(iter(series), store, "_runs/7/series")
    assert index.schema == frozen.INDEX
    assert index["path"].n_unique() == 3
    for line, mine in zip(index.iter_rows(named=True), series, strict=True):
        (back,) = frozen.thaw(store, line["path"], [line["row"]])
        assert same(back, mine)
        assert (line["start"], line["end"], line["data_hash"]) == (mine.start, mine.end, data_hash(mine))
    assert sum(len(frozen.thaw(store, path)) for path in index["path"].unique()) == len(series)


def test_long_series_make_small_parts(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frozen, "PART_HOURS", 100)
    series = [Series("a", f"v{i}", 0, np.ones(60)) for i in range(3)]
    assert frozen.freeze(series, store, "x")["path"].n_unique() == 3


def test_freezing_again_changes_nothing(store: Store) -> None:
    series = list(series_of(random_rows(3, 50)))
    first = frozen.freeze(series, store, "x")
    assert frozen.freeze(series, store, "x").equals(first)
    assert sorted(entry.path for entry in store.list()) == sorted(set(first["path"]))


def test_a_series_that_comes_twice_is_refused(store: Store) -> None:
    with pytest.raises(UserError, match="a, hr_bpm: two inputs have this series"):
        frozen.freeze([Series("a", "hr_bpm", 0, np.ones(3)), Series("a", "hr_bpm", 9, np.ones(3))], store, "x")


def test_nothing_to_freeze(store: Store) -> None:
    assert frozen.freeze([], store, "x").schema == frozen.INDEX


def test_empty_and_unobserved_arrays_come_back(store: Store) -> None:
    series = [Series("0", "hr_bpm", 3, np.full(2, NAN)), one(frame([(0.0, 1e9)], arrived=[9]))]
    index = frozen.freeze(series, store, "x")
    assert all(map(same, frozen.thaw(store, index["path"][0]), series))


def test_the_hash_is_of_the_data() -> None:
    a = Series("a", "hr_bpm", 3, np.array([1.0, NAN, 0.0]))
    assert data_hash(a) == data_hash(Series("b", "hr_bpm", 3, np.array([1.0, -NAN, -0.0])))
    others = [("hr_bpm", 4, a.values), ("rr_brpm", 3, a.values), ("hr_bpm", 3, a.values[:2])]
    assert len({data_hash(a), *(data_hash(Series("a", *other)) for other in others)}) == 4


def test_an_arrival_changes_the_hash() -> None:
    late = [one(frame([(0.0, 60.0), (1.0, 61.0)], arrived=[9, arrived])) for arrived in (9, 10)]
    assert data_hash(late[0]) != data_hash(late[1])


def test_description() -> None:
    readings = [(0.0, 60.0), (1.0, 70.0), (3.0, 80.0), (9.0, 90.0), (10.0, 999.0), (40.0, 50.0), (41.0, None)]
    found = describe(one(frame(readings)))
    hour_us = 3_600_000_000
    assert (found["data_start"], found["data_end"], found["n_hours"]) == (0, 40 * hour_us, 42)
    assert (found["n_observed"], found["n_interpolated"], found["n_profiled"], found["n_levelled"]) == (5, 1, 0, 5)
    assert (found["n_segments"], found["longest_gap_h"], found["mean_gap_s"]) == (2, 30, 36_000.0)
    assert (found["y_min"], found["y_max"], found["y_mean"], found["y_median"]) == (50.0, 90.0, 70.0, 70.0)
    assert found["y_sd"] == pytest.approx(np.std([60, 70, 80, 90, 50], ddof=1))
    assert (found["n_readings"], found["n_implausible"], found["n_missing"]) == (7, 1, 1)
    assert (found["has_limits"], found["has_arrivals"]) == (True, False)


def test_rows_keep_the_schema() -> None:
    series = [*series_of(random_rows(1, 60, late=True)), one(frame([(0.0, 1e9)])), Series("a", "value", 0, np.ones(1))]
    table = rows("key", series)
    assert table.schema.equals(SERIES.schema)
    assert pl.from_arrow(table).height == 5
    assert table["n_observed"].to_pylist()[-2:] == [0, 0]
